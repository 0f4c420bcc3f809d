"""The book of accounts: all that can be done with them, for whoever manages them. Implements the engine's AccountBook.

Whatever is changed is in the store when it returns, and in force here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from isthmus.accounts.archive import everything, read_archive, write_archive
from isthmus.accounts.endpoint import told_in
from isthmus.accounts.importing import Importing, Left
from isthmus.accounts.intake import Intake
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import Outside, tried
from isthmus.accounts.service_account import service_account_of
from isthmus.accounts.vendor import READERS, Vendor
from isthmus.accounts.windows import laid_over
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, SignIn, Tokens
from isthmus.providers.issuer import Issuer, SignInFlow

LONGEST = 200
"""Characters of an account's name."""
MOST_MODELS = 100
MOST_RUNNING = 100_000


class UnderWay(Protocol):
    """The sign-ins that are under way, as SignIns has them."""

    async def begin(self, issuer: Issuer, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn: ...

    def sign_in(self, identity: str) -> SignIn: ...

    async def finish(self, identity: str, said: str) -> Account: ...

    async def cancel(self, identity: str) -> SignIn: ...

    async def stop_listening(self) -> int: ...


class Book:
    """`sign_ins` has those under way, `left` finds what other tools left."""

    def __init__(self, keeper: Keeper, outside: Outside, intake: Intake, sign_ins: UnderWay, left: Left) -> None:
        self._keeper = keeper
        self._outside = outside
        self._intake = intake
        self._sign_ins = sign_ins
        self._importing = Importing(keeper, outside, intake, left)
        self._vendor = Vendor(keeper, outside.ask)

    def issuers(self) -> Mapping[str, Issuer]:
        return self._outside.issuers()

    def all(self) -> Sequence[Account]:
        self._keeper.noting.take_up()
        return self._keeper.roster.all()

    async def catch_up(self) -> None:
        await self._keeper.refresh()

    async def begin(self, issuer: str, flow: SignInFlow | None = None, *, port: int | None = None) -> SignIn:
        return await self._sign_ins.begin(self._issuer(issuer), flow, port=port)

    def sign_in(self, identity: str) -> SignIn:
        return self._sign_ins.sign_in(identity)

    async def finish(self, identity: str, said: str) -> Account:
        return await self._sign_ins.finish(identity, said)

    async def cancel(self, identity: str) -> SignIn:
        return await self._sign_ins.cancel(identity)

    async def stop_listening(self) -> int:
        return await self._sign_ins.stop_listening()

    async def adopt(self, issuer: str, tokens: Tokens, *, source: str = "") -> Account:
        row = self._issuer(issuer)
        if tokens.service_account is not None:
            checked = service_account_of(row, tokens.service_account.reveal())
            tokens = replace(tokens, service_account=checked)
        elif tokens.refresh is None:
            raise GatewayError(Kind.INVALID, "there is neither a refresh token nor a service account to take in")
        await self._keeper.refresh()  # what could not be kept must not be asked for
        await asyncio.to_thread(self._outside.seal.ready)
        try:
            fresh = await tried(self._outside, row, tokens)
        except GatewayError as error:
            if error.kind is not Kind.CREDENTIAL_REVOKED:
                raise
            raise GatewayError(Kind.INVALID, f"{row.title} does not take what you gave: {error.message}") from error
        return await self._intake.take_in(row, fresh, source)

    async def import_files(self, issuer: str) -> Sequence[Account]:
        return await self._importing.all_of(self._issuer(issuer))

    async def refresh(self, identity: str) -> Account:
        await self._known(identity)
        return await self._keeper.renew(identity)

    async def activate(self, identity: str) -> Account:
        account = await self._known(identity)
        for other in self._of(account.issuer):
            if other.active and other.id != identity:
                await self._keeper.changed(replace(other, active=False))
        active = replace(account, active=True)
        await self._keeper.changed(active)
        self._keeper.begin_again(account.issuer)
        return active

    async def change(self, account: Account) -> Account:
        known = await self._known(account.id)
        state = _changed(known.state, account.state)
        changed = replace(
            known,
            name=_checked_name(account.name),
            state=state,
            why=known.why if state is known.state else "",
            concurrency=_checked_concurrency(account.concurrency),
            models=_checked_models(account.models),
        )
        await self._keeper.changed(changed)
        return changed

    async def remove(self, identity: str) -> Account:
        account = await self._known(identity)
        await self._outside.records.drop_account(identity)
        self._keeper.gone(identity)
        left = self._of(account.issuer)
        if account.active and left:
            ready = (one for one in left if one.state is AccountState.READY)
            await self._keeper.changed(replace(next(ready, left[0]), active=True))
        return account

    async def quota(self, identity: str, *, fresh: bool = False) -> Account:
        account = await self._known(identity)
        if not fresh:
            self._keeper.noting.take_up()
            return self._keeper.roster.need(identity)
        read = READERS.get(account.issuer)
        if read is None:
            raise GatewayError(Kind.UNSUPPORTED, f"nobody here can read what accounts of {account.issuer} have used")
        reply, now = await self._vendor.usage(account), self._outside.clock.time()
        plan, windows = read(reply.body, now)
        known = self._keeper.roster.need(identity)
        told = replace(known, windows=laid_over(windows, known.windows), windows_at=now)
        if plan is not None and plan != known.plan:
            told = replace(told, plan=plan)
            await self._outside.records.change_account(told)
        await self._outside.records.note_accounts((told,))
        self._keeper.put(told)
        if windows and all(window.used < 1 for window in windows):
            self._keeper.has_room(told)
        return told

    async def usage(self, identity: str) -> Mapping[str, Any]:
        return told_in(await self._vendor.usage(await self._known(identity)))

    async def models(self, identity: str) -> Sequence[Mapping[str, Any]]:
        return await self._vendor.models(await self._known(identity))

    async def export(self, passphrase: Secret) -> bytes:
        archived = await everything(self._outside.records, self._outside.seal)
        return await asyncio.to_thread(write_archive, archived, passphrase)

    async def restore(self, archive: bytes, passphrase: Secret) -> Sequence[Account]:
        archived = await asyncio.to_thread(read_archive, archive, passphrase)
        return [await self._intake.put_back(one.account, one.tokens) for one in archived]

    async def _known(self, identity: str) -> Account:
        """The account as the store has it now. Raises UNKNOWN_PATH, and STORE_GONE."""
        await self._keeper.refresh()
        return self._keeper.roster.need(identity)

    def _of(self, issuer: str) -> Sequence[Account]:
        return [one for one in self._keeper.roster.all() if one.issuer == issuer]

    def _issuer(self, name: str) -> Issuer:
        found = self._outside.issuers().get(name)
        if found is None:
            known = ", ".join(sorted(self._outside.issuers()))
            raise GatewayError(Kind.INVALID, f"there is no issuer {name!r}; there are {known}", param="issuer")
        return found


def _changed(before: AccountState, wanted: AccountState) -> AccountState:
    """Anybody may switch an account off and on again. What its issuer takes no more, only a sign-in makes ready."""
    if wanted is AccountState.REVOKED or (before is AccountState.REVOKED and wanted is AccountState.READY):
        return before
    return wanted


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > LONGEST or not name.isprintable():
        raise GatewayError(Kind.INVALID, f"a name has up to {LONGEST} printable characters", param="name")
    return name.strip()


def _checked_concurrency(most: int | None) -> int | None:
    if most is not None and not 1 <= most <= MOST_RUNNING:
        raise GatewayError(Kind.INVALID, f"concurrency is between 1 and {MOST_RUNNING}", param="concurrency")
    return most


def _checked_models(models: Sequence[str]) -> tuple[str, ...]:
    if len(models) > MOST_MODELS or any(not one or len(one) > LONGEST for one in models):
        words = f"models are up to {MOST_MODELS} names or wildcards of up to {LONGEST} characters"
        raise GatewayError(Kind.INVALID, words, param="models")
    return tuple(models)
