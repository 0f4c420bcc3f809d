"""The ring of accounts: known by what the store says each second, handed to whoever routes, their tokens kept good.

Tokens are refreshed ahead of their end for accounts that are in use, and for all others when they are asked for; at the
start nobody is. What is noted of accounts on a request's way is when they were used, and nothing else.
"""

import asyncio
import logging
import zlib
from collections.abc import Coroutine, Iterator

from isthmus.accounts.noting import Noting
from isthmus.accounts.refreshing import Outside, Refreshing, is_spent
from isthmus.accounts.roster import Roster
from isthmus.accounts.tokens_kept import Kept
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState
from isthmus.engine.live import Live
from isthmus.engine.signed_in import as_routed
from isthmus.providers.issuer import Issuer

EVERY = 1.0
"""Seconds between two looks whether any account has changed."""
PACE = 2000
"""Accounts that are read in a second, on average: after a change to one of many, the next look waits the longer."""
AHEAD = 300.0
"""Seconds before the end of its token from which an account in use is refreshed."""
SPREAD = 120
"""Seconds over which those are spread that were all signed in to at once."""
PART = 0.25
"""The share of its time that is left of a token when it is refreshed at the latest, where it lasts but minutes."""
IN_USE = 6 * 3600.0
"""Seconds after its last use in which an account is refreshed ahead."""
TEND = 20.0
"""Seconds between two looks for accounts that have to be refreshed."""
TOGETHER = 4
"""Accounts that are refreshed ahead at a time."""
NOTE = 60.0
"""Seconds between two notes of the use of accounts."""
FRESH = 60.0
"""Seconds after refused tokens were refreshed in which new ones that are refused too are left: it changes nothing."""
WAIT = 30.0
"""Seconds that a request waits for good tokens."""
PATIENCE = 5.0
"""Seconds that a refresh under way has to come to its end when the gateway stops."""

log = logging.getLogger(__name__)


class Keeper:
    """`live` is None where nobody routes. `first` is set when the store was heard, or could not be."""

    def __init__(self, outside: Outside, live: Live | None = None) -> None:
        self._outside = outside
        self._live = live
        self.roster = Roster()
        self.refreshing = Refreshing(outside, self.roster, self._refreshed)
        self.noting = Noting(outside.records, self.roster, outside.clock, live)
        self._version: int | None = None
        self._written = 0
        self._changing = asyncio.Lock()
        self._refused: dict[str, float] = {}
        self._terms: set[str] = set()
        self.first = asyncio.Event()

    @property
    def state(self) -> str:
        """For people: how many there are, and what is wrong with some."""
        if self._version is None:
            return "not read yet"
        counts = {state: 0 for state in AccountState}
        for account in self.roster.all():
            counts[account.state] += 1
        odd = [(AccountState.REVOKED, "revoked"), (AccountState.DISABLED, "disabled")]
        told = [f"{counts[state]} {words}" for state, words in odd if counts[state]]
        told += [f"{self.refreshing.failing} not refreshed"] if self.refreshing.failing else []
        told += [f"{self.refreshing.unsaved} not written"] if self.refreshing.unsaved else []
        return ", ".join([f"{len(self.roster)} accounts", *told])

    def counts(self) -> dict[str, int]:
        """How many accounts there are, by state."""
        found = {state.value: 0 for state in AccountState}
        for account in self.roster.all():
            found[account.state.value] += 1
        return found

    async def run(self) -> None:
        """Look for what has changed, refresh ahead and note what was used, for as long as the gateway runs."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_looking())
            tasks.create_task(self._keep_tending())

    async def aclose(self) -> None:
        """What is under way comes to its end, within a bound, and what was noted is written."""
        await self.refreshing.aclose(PATIENCE)
        await self.noting.write()

    async def look(self) -> None:
        """As `refresh`, if the store can be reached."""
        try:
            await self.refresh()
        except GatewayError as error:
            if self._version is None and not self.first.is_set():
                log.info("accounts are not known yet: %s", error.message)
        self.first.set()

    async def refresh(self) -> None:
        """Write what the store could not be told of, and read all again if any was changed. Raises STORE_GONE."""
        async with self._changing:
            await self.refreshing.save()
            written = self.refreshing.written
            version = await self._outside.records.accounts_version()
            mine, self._written = written - self._written, written
            if self._version is not None and version == self._version + mine:
                self._version = version
                return
            accounts = await self._outside.records.accounts()
            changed = self.roster.take(accounts)
            for identity in changed:
                self._forget(identity)
            self._version = version
            self._hand_over()
            for identity in changed:
                self._trust(self.roster.get(identity))

    async def changed(self, account: Account) -> None:
        """Keep it as it is now, in the store first. Raises INVALID and STORE_GONE."""
        await self._outside.records.change_account(account)
        self.put(account)

    def put(self, account: Account) -> None:
        """The store has it so."""
        before = self.roster.get(account.id)
        self.roster.put(account)
        if before is None or as_routed(before) != as_routed(account):
            self._hand_over()

    def has_room(self, account: Account) -> None:
        """Its vendor itself tells that none of its windows is used up."""
        if self._live is not None:
            self._live.has_room(account)

    def begin_again(self, issuer: str) -> None:
        """Pools that stay with one of the issuer's accounts stay with the active one from here on."""
        if self._live is not None:
            self._live.begin_again(issuer)

    def taken(self, account: Account, kept: Kept) -> None:
        """The store has it with these tokens, which somebody has just signed in for."""
        self._forget(account.id)
        self.refreshing.keep(account.id, kept)
        self._refreshed(account)

    def gone(self, identity: str) -> None:
        """The store has it no more."""
        self.roster.remove(identity)
        self._forget(identity)
        self._hand_over()

    async def usable(self, identity: str) -> Kept:
        """Tokens to sign with. Raises as `Refreshing.newer`, TIMED_OUT, and UNKNOWN_PATH for one that is gone."""
        account, now = self.roster.need(identity), self._outside.clock.time()
        if account.state is AccountState.REVOKED:
            raise GatewayError(Kind.CREDENTIAL_REVOKED, account.why or "its issuer takes its tokens no more")
        self.noting.use(identity, now)
        kept = self.refreshing.at_hand(identity)
        if kept is None or is_spent(kept, now):
            kept = await self._in_time(self._good(identity))
        if (ends := kept.tokens.expires_at) is not None and now >= ends - _ahead(account):
            self.refreshing.begin(identity, kept.version)
        return kept

    async def _good(self, identity: str) -> Kept:
        kept = await self.refreshing.read(identity)
        if is_spent(kept, self._outside.clock.time()):
            return await self.refreshing.newer(identity, kept.version)
        return kept

    async def _in_time(self, work: Coroutine[object, object, Kept]) -> Kept:
        """A refresh that takes longer goes on without whoever waits for it. Raises TIMED_OUT."""
        try:
            async with asyncio.timeout(WAIT):
                return await work
        except TimeoutError as error:
            raise GatewayError(Kind.TIMED_OUT, f"the account had no good tokens within {WAIT:g} s") from error

    async def after_refusal(self, identity: str, used: str) -> Kept | None:
        """Tokens other than the access token `used`, which was refused. None where asking again is of no use.

        Raises CREDENTIAL_REVOKED.
        """
        kept, now = await self.refreshing.read(identity), self._outside.clock.time()
        if kept.tokens.access is not None and kept.tokens.access.reveal() != used and not is_spent(kept, now):
            return kept
        at = self._outside.clock.now()
        if identity not in self._refused or at >= self._refused[identity] + FRESH:
            self._refused[identity] = at
        elif not self.refreshing.under_way(identity):
            return None
        try:
            return await self._in_time(self.refreshing.newer(identity, kept.version))
        except GatewayError as error:
            if error.kind is Kind.CREDENTIAL_REVOKED:
                raise
            return None

    def issuer(self, account: Account) -> Issuer | None:
        """None where the configuration has it no more."""
        return self._outside.issuers().get(account.issuer)

    def need_issuer(self, account: Account) -> Issuer:
        """Raises CREDENTIAL_REJECTED where the configuration has it no more."""
        return self.refreshing.issuer(account)

    async def renew(self, identity: str) -> Account:
        """Refresh its tokens now, whatever became of it before. Raises as `Refreshing.at_once`."""
        kept = await self.refreshing.read(identity)
        await self.refreshing.at_once(identity, kept.version)
        return self.roster.need(identity)

    async def tend(self) -> None:
        """Refresh those whose tokens are about to end, a few at a time."""
        room = asyncio.Semaphore(TOGETHER)
        await asyncio.gather(*(self._tended(account.id, room) for account in tuple(self._due())))

    def _due(self) -> Iterator[Account]:
        """In use, and near the end of their tokens; or beyond it, since the last try failed."""
        now = self._outside.clock.time()
        for account in self.roster.all():
            used, ends = self.noting.used_at(account), account.expires_at
            if account.state is not AccountState.READY or used is None or ends is None or now > used + IN_USE:
                continue
            failed = self.refreshing.failed(account.id)
            if ends - _ahead(account) <= now and (now < ends or failed) and not self.refreshing.fails(account.id):
                yield account

    async def _tended(self, identity: str, room: asyncio.Semaphore) -> None:
        """What fails is in the log, and tried again later."""
        async with room:
            try:
                kept = await self.refreshing.read(identity)
                await self.refreshing.newer(identity, kept.version)
            except GatewayError as error:
                log.debug("account %s: %s", identity, error.message)

    async def _keep_looking(self) -> None:
        while True:
            version = self._version
            await _unless_faulty(self.look())
            read = 0 if version == self._version else len(self.roster)
            await self._outside.pause(max(EVERY, read / PACE))

    async def _keep_tending(self) -> None:
        noted = self._outside.clock.now()
        while True:
            await self._outside.pause(TEND)
            await _unless_faulty(self.tend())
            if self._outside.clock.now() - noted >= NOTE:
                noted = self._outside.clock.now()
                await _unless_faulty(self.noting.write())

    def _refreshed(self, account: Account) -> None:
        """Its tokens, or its state, are other ones."""
        self.put(account)
        self._trust(account)

    def _trust(self, account: Account | None) -> None:
        """It has tokens that nobody refused yet."""
        if self._live is not None and account is not None and account.state is AccountState.READY:
            self._live.trust(account)

    def _forget(self, identity: str) -> None:
        self._refused.pop(identity, None)
        self.refreshing.forget(identity)

    def _hand_over(self) -> None:
        if self._live is not None:
            self._live.sign_in(self.roster.all())
        for issuer in {one.issuer for one in self.roster.all()} - self._terms:
            self._terms.add(issuer)
            found = self._outside.issuers().get(issuer)
            if found is not None and found.terms:
                log.warning("accounts of %s: %s", found.title, found.terms)


async def _unless_faulty(work: Coroutine[object, object, None]) -> None:
    """A fault of ours is logged, and the next round is made all the same: without it, accounts would end one by one."""
    try:
        await work
    except Exception:
        log.exception("accounts are not looked after for now, by a fault of the gateway")


def _ahead(account: Account) -> float:
    """Seconds before the end of its token from which it is refreshed: not the same for all."""
    ahead = AHEAD + zlib.crc32(account.id.encode()) % SPREAD
    if account.expires_at is None or account.refreshed_at is None:
        return ahead
    return min(ahead, max(0.0, account.expires_at - account.refreshed_at) * PART)
