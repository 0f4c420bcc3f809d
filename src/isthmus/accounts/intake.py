"""Taking accounts in: who an account is, what it is called, and what becomes of one that is signed in to again."""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from isthmus.accounts.claims import told_by
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import Outside
from isthmus.accounts.tokens_kept import Kept
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState, Tokens
from isthmus.providers.issuer import Issuer

MOST = 10_000
"""Accounts in one store."""
TRIES = 5
"""How often is looked again where another process was faster."""


def new_id() -> str:
    return "acc_" + secrets.token_hex(8)


class Intake:
    """One at a time in this process; what others add at the same moment is seen."""

    def __init__(self, keeper: Keeper, outside: Outside) -> None:
        self._keeper = keeper
        self._outside = outside
        self._adding = asyncio.Lock()

    async def take_in(self, issuer: Issuer, tokens: Tokens, source: str) -> Account:
        """Keep what somebody was given. It is ready then, also where it was there already, whatever its state was.

        Raises STORE_GONE, INVALID where there are too many, CREDENTIAL_REJECTED where there is no key to seal with.
        """
        told, now = told_by(issuer, tokens), self._outside.clock.time()
        new = Account(
            id=new_id(),
            issuer=issuer.name,
            name=told.email or told.subject or issuer.name,
            email=told.email,
            subject=told.subject,
            plan=told.plan,
            added_at=now,
            expires_at=tokens.expires_at,
            refreshed_at=now,
            source=source,
        )

        def again(known: Account) -> Account:
            return replace(
                known,
                plan=told.plan or known.plan,
                expires_at=tokens.expires_at,
                refreshed_at=now,
                state=AccountState.READY,
                why="",
                source=source or known.source,
            )

        return await self._kept(new, tokens, again)

    async def put_back(self, account: Account, tokens: Tokens) -> Account:
        """Keep an account as it was elsewhere, in place of the one that is here, if it is. Raises as `take_in`."""

        def again(known: Account) -> Account:
            return replace(account, id=known.id, name=known.name, active=known.active, added_at=known.added_at)

        return await self._kept(account, tokens, again)

    async def _kept(self, new: Account, tokens: Tokens, again: Callable[[Account], Account]) -> Account:
        """`new` is added, unless it is known already: that one is kept as `again` has it."""
        async with self._adding:
            for _ in range(TRIES):
                await self._keeper.refresh()
                known = self._known(new)
                found = await (self._add(new, tokens) if known is None else self._again(known, again(known), tokens))
                if found is not None:
                    return found
        raise GatewayError(Kind.INVALID, "the account changes all the time; try again")

    def _known(self, new: Account) -> Account | None:
        """The account that this is. Who tells neither an address nor a subject is known by nothing but an id."""
        if (same := self._keeper.roster.get(new.id)) is not None:
            return same
        if not new.subject and not new.email:
            return None
        wanted = new.issuer, new.subject, new.email
        return next((one for one in self._keeper.roster.all() if (one.issuer, one.subject, one.email) == wanted), None)

    async def _add(self, new: Account, tokens: Tokens) -> Account | None:
        """None where another process took its name just now."""
        everybody = self._keeper.roster.all()
        if len(everybody) >= MOST:
            raise GatewayError(Kind.INVALID, f"there are {MOST} accounts, which is as many as may be")
        others = [one for one in everybody if one.issuer == new.issuer]
        account = replace(
            new, name=_free(new.name, {one.name for one in others}), active=not any(one.active for one in others)
        )
        sealed = await asyncio.to_thread(self._outside.seal.close, tokens, account.id, 1)
        if await _taken(self._outside.records.add_account(account, sealed)):
            return None
        self._keeper.taken(account, Kept(tokens, 1))
        return account

    async def _again(self, known: Account, account: Account, tokens: Tokens) -> Account | None:
        """None where another process changed it just now."""
        records = self._outside.records
        before = await records.sealed(known.id)
        if before is None:
            return None
        version = before.version + 1
        sealed = await asyncio.to_thread(self._outside.seal.close, tokens, known.id, version)
        if not await records.replace_tokens(account, sealed):
            return None
        await records.change_account(account)
        self._keeper.taken(account, Kept(tokens, version))
        return account


async def _taken(adding: Awaitable[None]) -> bool:
    """Has somebody else the name?"""
    try:
        await adding
    except GatewayError as error:
        if error.kind is Kind.INVALID and error.param == "name":
            return True
        raise
    return False


def _free(wanted: str, taken: set[str]) -> str:
    """The name, with a number behind it where others have it."""
    names = itertools.chain([wanted], (f"{wanted} ({number})" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)
