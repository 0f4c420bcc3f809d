"""Refreshing an account's tokens: once at a time in this process, and among all that share the store by its lease.

The order in which nothing is lost: the lease, then the issuer, then the store, and only what is on the disk is used.
Where the store is gone by then, new tokens are used all the same, and written as soon as it is back. Refreshing asks
nobody for leave: neither rests nor quotas of an account count.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from isthmus.accounts.claims import told_by
from isthmus.accounts.endpoint import Ask
from isthmus.accounts.grants import refreshed
from isthmus.accounts.roster import Roster
from isthmus.accounts.tokens_kept import Kept, KeptTokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountRecords, AccountState, Sealed, Tokens
from isthmus.engine.ports import Clock
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Deadlines

if TYPE_CHECKING:
    from isthmus.accounts.sealing import Seal  # what it imports takes its time, and most never need it

SPENT = 15.0
"""Seconds before its end from which a token is not used any more: a request takes a while to arrive."""
ISSUER_DEADLINES = Deadlines(connect=5.0, first_byte=10.0, between_bytes=5.0, total=15.0)
"""For one try at an issuer."""
LEASE = 30.0
"""Seconds for which the right to refresh is held: longer than a try, where clocks differ too. The next prolongs it."""
LOOK = 0.25
"""Seconds between two looks for what another process makes of the tokens that it refreshes."""
LOOKS = 240
"""Looks until that is given up."""
BETWEEN_TRIES = (0.5, 2.0)
"""Seconds between one try at an issuer and the next, of those that one refresh makes."""
AGAIN = 15.0
"""Seconds after a refresh that failed in which none is begun; they double from one failure in a row to the next."""
MOST_AGAIN = 600.0

_PASSING = frozenset({Kind.UNREACHABLE, Kind.TIMED_OUT, Kind.CUT_SHORT, Kind.OVERLOADED, Kind.GARBLED})
"""Failures that the next try may mend."""

log = logging.getLogger(__name__)


class Outside(NamedTuple):
    """What accounts are kept and refreshed by.

    `pause` waits for so many seconds, `draw` is a number between 0 and 1 that nobody knows before.
    """

    records: AccountRecords
    seal: "Seal"
    ask: Ask
    issuers: Callable[[], Mapping[str, Issuer]]
    clock: Clock
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    draw: Callable[[], float] = secrets.SystemRandom().random


class _Failure(NamedTuple):
    """`until` is of the monotonic clock: somebody may set the other one."""

    kind: Kind
    message: str
    times: int
    until: float


class _Unsaved(NamedTuple):
    """New tokens that the store could not be told of."""

    account: Account
    sealed: Sealed
    kept: Kept


class Refreshing:
    """`told` is called with every account that has changed here."""

    def __init__(self, outside: Outside, roster: Roster, told: Callable[[Account], object]) -> None:
        self._outside = outside
        self._roster = roster
        self._told = told
        self._kept = KeptTokens()
        self._under_way: dict[str, asyncio.Task[Kept]] = {}
        self._reading: dict[str, asyncio.Task[Kept]] = {}
        self._failed: dict[str, _Failure] = {}
        self._unsaved: dict[str, _Unsaved] = {}
        self.written = 0
        """Tokens that this process has written: the store counts each as a change."""

    @property
    def failing(self) -> int:
        """Accounts whose last refresh failed, and is to be tried again."""
        return len(self._failed)

    @property
    def unsaved(self) -> int:
        """Accounts whose new tokens the store does not have yet."""
        return len(self._unsaved)

    def at_hand(self, identity: str) -> Kept | None:
        """Its tokens, where they are open."""
        if self._unsaved and (unsaved := self._unsaved.get(identity)) is not None:
            return unsaved.kept
        return self._kept.get(identity)

    async def read(self, identity: str) -> Kept:
        """Its tokens, whatever they are worth by now. Raises UNKNOWN_PATH, STORE_GONE and INVALID."""
        found = self.at_hand(identity)
        return await asyncio.shield(_once(self._reading, identity, self._read)) if found is None else found

    async def newer(self, identity: str, seen: int) -> Kept:
        """Tokens that are good for a while, newer than version `seen`.

        Raises CREDENTIAL_REVOKED, and as the issuer and the store do; where the last try failed just now, the same
        again. A caller that is cancelled takes them from nobody else.
        """
        self._check_failed(identity)
        return await asyncio.shield(self._begun(identity, seen))

    async def at_once(self, identity: str, seen: int) -> Kept:
        """As `newer`, whatever failed before."""
        self._failed.pop(identity, None)
        return await asyncio.shield(self._begun(identity, seen))

    def begin(self, identity: str, seen: int) -> None:
        """The same, while its old tokens are still used."""
        if not self.fails(identity):
            self._begun(identity, seen)

    def under_way(self, identity: str) -> bool:
        """Are its tokens being refreshed?"""
        return identity in self._under_way

    def fails(self, identity: str) -> bool:
        """Did it fail so short a time ago that it is not tried yet?"""
        failure = self._failed.get(identity)
        return failure is not None and self._outside.clock.now() < failure.until

    def failed(self, identity: str) -> bool:
        """Did its last refresh fail, for a reason that may pass?"""
        return identity in self._failed

    def forget(self, identity: str) -> None:
        """Its tokens are other ones now, or it is gone."""
        self._kept.drop(identity)
        self._failed.pop(identity, None)
        self._unsaved.pop(identity, None)

    def keep(self, identity: str, kept: Kept) -> None:
        """These are its tokens now, and the store has them."""
        self._kept.put(identity, kept)

    async def save(self) -> None:
        """Write what the store could not be told of. Raises STORE_GONE."""
        for identity, unsaved in tuple(self._unsaved.items()):
            saved = await self._outside.records.replace_tokens(unsaved.account, unsaved.sealed)
            if self._unsaved.get(identity) is unsaved:
                del self._unsaved[identity]
                if saved:
                    self.written += 1
                    self._kept.put(identity, unsaved.kept)

    async def aclose(self, patience: float) -> None:
        """Whoever asks an issuer has so many seconds to keep what it is given; then nobody is asked any more."""
        under_way = tuple(self._under_way.values())
        if under_way:
            await asyncio.wait(under_way, timeout=patience)
        left = (*under_way, *self._reading.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _begun(self, identity: str, seen: int) -> "asyncio.Task[Kept]":
        return _once(self._under_way, identity, partial(self._refresh, seen=seen))

    def _check_failed(self, identity: str) -> None:
        if self.fails(identity):
            failure = self._failed[identity]
            left = failure.until - self._outside.clock.now()
            raise GatewayError(failure.kind, failure.message, retry_after=left)

    async def _read(self, identity: str) -> Kept:
        return await self._open(identity, await self._sealed(identity))

    async def _sealed(self, identity: str) -> Sealed:
        sealed = await self._outside.records.sealed(identity)
        if sealed is None:
            raise GatewayError(Kind.UNKNOWN_PATH, "the account is gone")
        return sealed

    async def _open(self, identity: str, sealed: Sealed) -> Kept:
        tokens = await asyncio.to_thread(self._outside.seal.open, sealed, identity)
        kept = Kept(tokens, sealed.version)
        self._kept.put(identity, kept)
        return kept

    async def _refresh(self, identity: str, seen: int) -> Kept:
        try:
            kept = await self._refreshed(identity, seen)
        except GatewayError as error:
            self._note_failure(identity, error)
            raise
        self._failed.pop(identity, None)
        return kept

    async def _refreshed(self, identity: str, seen: int) -> Kept:
        if identity in self._unsaved:
            await self.save()  # the store has a refresh token that was used already
        owner = secrets.token_hex(8)
        try:
            found = await self._leased(identity, owner, seen)
            return await self._asked(identity, owner) if found is None else found
        finally:
            await self._let_go(identity, owner)

    async def _leased(self, identity: str, owner: str, seen: int) -> Kept | None:
        """Wait for the right to refresh. What another made of the tokens in the meantime, where that is newer."""
        for _ in range(LOOKS):
            leased = await self._lease(identity, owner)
            sealed = await self._sealed(identity)
            if sealed.version > seen and not is_spent(kept := await self._open(identity, sealed), self._time()):
                return kept
            if leased:
                return None
            await self._outside.pause(LOOK)
        raise GatewayError(Kind.TIMED_OUT, "another process refreshes the account's tokens, and comes to no end")

    async def _lease(self, identity: str, owner: str) -> bool:
        now = self._time()
        return await self._outside.records.lease(identity, owner, now + LEASE, now)

    async def _let_go(self, identity: str, owner: str) -> None:
        try:
            await self._outside.records.release(identity, owner)
        except GatewayError as error:  # it ends by itself
            log.info("the lease of an account is left to end: %s", error.message)

    async def _asked(self, identity: str, owner: str) -> Kept:
        """Ask the issuer, as the one who may."""
        sealed = await self._sealed(identity)
        kept, issuer = await self._open(identity, sealed), self.issuer(self._roster.need(identity))
        await asyncio.to_thread(self._outside.seal.ready)  # what could not be sealed must not be asked for
        try:
            fresh = await tried(self._outside, issuer, kept.tokens, partial(self._lease, identity, owner))
        except GatewayError as error:
            now = await self._sealed(identity)
            if now.version > sealed.version:  # somebody signed in again
                return await self._open(identity, now)
            if error.kind is Kind.CREDENTIAL_REVOKED:
                await self._revoke(identity, error, sealed.version)
            raise
        return await self._keep(identity, issuer, Kept(fresh, sealed.version + 1))

    def issuer(self, account: Account) -> Issuer:
        """Raises CREDENTIAL_REJECTED where none of its issuer's name is known."""
        found = self._outside.issuers().get(account.issuer)
        if found is None:
            words = f"the configuration has no issuer {account.issuer!r} (accounts.issuers)"
            raise GatewayError(Kind.CREDENTIAL_REJECTED, words)
        return found

    async def _keep(self, identity: str, issuer: Issuer, kept: Kept) -> Kept:
        """Write the new tokens, and use them once they are written. Where others were faster, use theirs."""
        account = _renewed(self._roster.need(identity), issuer, kept.tokens, self._time())
        sealed = await asyncio.to_thread(self._outside.seal.close, kept.tokens, identity, kept.version)
        try:
            saved = await self._outside.records.replace_tokens(account, sealed)
        except GatewayError as error:
            log.warning("the new tokens of account %s are not written yet: %s", account.name, error.message)
            self._unsaved[identity] = _Unsaved(account, sealed, kept)
        else:
            if not saved:
                return await self._read(identity)
            self.written += 1
            self._kept.put(identity, kept)
        log.info("account %s of %s has new tokens", account.name, account.issuer)
        self._told(_renewed(self._roster.need(identity), issuer, kept.tokens, self._time()))
        return kept

    async def _revoke(self, identity: str, error: GatewayError, version: int) -> None:
        """Its issuer takes its tokens no more: that is told once, and nobody tries again by himself."""
        account = replace(self._roster.need(identity), state=AccountState.REVOKED, why=error.message)
        log.warning("account %s of %s: %s", account.name, account.issuer, error.message)
        self._kept.drop(identity)
        self._told(account)
        records = self._outside.records
        try:
            await records.change_account(account)
            now = await records.sealed(identity)
            if now is not None and now.version > version:  # somebody signed in again at the same moment
                account = replace(account, state=AccountState.READY, why="")
                await records.change_account(account)
                self._told(account)
        except GatewayError as gone:
            log.warning("that account %s is revoked is not written: %s", account.name, gone.message)

    def _note_failure(self, identity: str, error: GatewayError) -> None:
        if error.kind in (Kind.CREDENTIAL_REVOKED, Kind.UNKNOWN_PATH):
            self._failed.pop(identity, None)
            return
        before = self._failed.get(identity)
        times = 1 if before is None else before.times + 1
        seconds = min(MOST_AGAIN, AGAIN * 2.0 ** min(times - 1, 30))
        until = self._outside.clock.now() + max(seconds, error.retry_after or 0.0)
        self._failed[identity] = _Failure(error.kind, error.message, times, until)
        log.warning("account %s is not refreshed: %s", _name(self._roster.get(identity)), error.message)

    def _time(self) -> float:
        return self._outside.clock.time()


async def always() -> bool:
    return True


async def tried(
    outside: Outside, issuer: Issuer, tokens: Tokens, may: Callable[[], Awaitable[bool]] = always
) -> Tokens:
    """Ask the issuer, over connections that drop, as often as one refresh may. Raises as `refreshed`.

    `may` is asked before each further try.
    """
    for seconds in BETWEEN_TRIES:
        try:
            return await refreshed(issuer, tokens, outside.ask, outside.clock.time())
        except GatewayError as error:
            if error.kind not in _PASSING or (error.retry_after or 0.0) > seconds:
                raise
        await outside.pause(seconds * (0.5 + outside.draw() / 2))
        if not await may():
            raise GatewayError(Kind.TIMED_OUT, f"{issuer.title} was too slow, and another process asks it now")
    return await refreshed(issuer, tokens, outside.ask, outside.clock.time())


def is_spent(kept: Kept, now: float) -> bool:
    """Is there no token that a request can be signed with at Unix time `now`?"""
    ends = kept.tokens.expires_at
    return kept.tokens.access is None or (ends is not None and now >= ends - SPENT)


def _renewed(account: Account, issuer: Issuer, tokens: Tokens, now: float) -> Account:
    """The account as it is with new tokens. One that was switched off stays off."""
    told = told_by(issuer, tokens)
    ready = account.state is AccountState.REVOKED
    return replace(
        account,
        plan=told.plan or account.plan,
        expires_at=tokens.expires_at,
        refreshed_at=now,
        state=AccountState.READY if ready else account.state,
        why="" if ready else account.why,
    )


def _name(account: Account | None) -> str:
    return "that is gone" if account is None else account.name


def _once(
    tasks: "dict[str, asyncio.Task[Kept]]", identity: str, work: Callable[[str], Coroutine[object, object, Kept]]
) -> "asyncio.Task[Kept]":
    """One task for all who wait for the same."""
    task = tasks.get(identity)
    if task is None:
        task = tasks[identity] = asyncio.create_task(work(identity))
        task.add_done_callback(partial(_over, tasks, identity))
    return task


def _over(tasks: "dict[str, asyncio.Task[Kept]]", identity: str, task: "asyncio.Task[Kept]") -> None:
    """Whoever waits is told how it ended, and where nobody does, the log was."""
    del tasks[identity]
    if not task.cancelled():
        task.exception()
