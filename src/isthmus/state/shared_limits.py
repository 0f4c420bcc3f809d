"""Limits that many instances hold together, through Redis or Valkey.

Each decision is one script there, so that no two instances are granted the same room. It does what the ledger does
(routing/limits.py), by the server's clock. While the server is slow or gone, an instance goes by its own ledger, which
holds whatever it was granted itself: so each one alone may then use what all were to share. What is settled is told in
the background, many at a time, and what still runs every RENEWED seconds; a lease of which nothing is heard for LEASE
seconds ends, for its instance is gone.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from isthmus.engine.ports import Clock
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal
from isthmus.state.seen import Seen
from isthmus.state.shared_ledger import Asked, SharedLedger
from isthmus.state.store import Store
from isthmus.state.together import Reply, Together

RENEWED = 30.0
"""Seconds after which it is told anew what still runs here."""
TOGETHER = 100
"""Grants that are settled or renewed in one call."""
MOST_PENDING = 10_000
"""Grants that wait to be settled; more are left to themselves: what they claimed counts, and their leases end."""
NOTHING: Mapping[Measure, int] = dict.fromkeys(Measure, 0)
"""What was given back unused."""


class SharedLimiter:
    """Implements the engine's Limiter. What is claimed at the same moment is asked for in one call.

    Inside, `_own` holds what was granted here, and `_seen` what all had used when the server last told it. `_ahead` is
    the server's clock less this one. `_running` are the leases to renew, `_alone` the questions that the server has not
    answered yet and that were decided without it, `_pending` what is settled and not told to it.
    """

    def __init__(self, store: Store, clock: Clock, *, prefix: str) -> None:
        self._store = store
        self._ledger = SharedLedger(store.redis, prefix)
        self._asking = Together(store, self._ledger.claim)
        self._clock = clock
        instance = secrets.token_hex(4)
        self._own = Ledger()
        self._leases = (f"{instance}-{number}" for number in itertools.count(1))
        self._ahead = 0.0
        self._seen = Seen()
        self._running: dict[str, Grant] = {}
        self._alone: dict[str, Reply] = {}
        self._pending: list[tuple[Grant, Mapping[Measure, int]]] = []
        self._teller: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        return self._store.state

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing."""
        lease = next(self._leases)
        reply = self._asking.ask(Asked(claims, lease))
        try:
            await asyncio.wait((reply,), timeout=self._store.budget)
        except asyncio.CancelledError:
            reply.add_done_callback(partial(self._settle_late, Grant(tuple(claims), 0.0, lease), NOTHING))
            raise
        answer = reply.result() if reply.done() else None
        if isinstance(answer, list):
            return self._decided(tuple(claims), lease, answer)
        return self._decided_alone(claims, lease, reply)

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`. It is told to the server in the background."""
        self._own.settle(grant, spent, self._time())
        self._seen.settled(grant, spent)
        self._running.pop(grant.lease, None)
        if grant.lease not in self._alone:
            self._tell(grant, spent)
        else:
            self._alone.pop(grant.lease).add_done_callback(partial(self._settle_late, grant, spent))

    def share(self, limit: Limit) -> float:
        """How much of the limit is used: by this instance, or by all as it knew a moment ago."""
        return max(self._own.share(limit, self._time()), self._seen.share(limit, self._clock.now()))

    async def keep_renewing(self) -> None:
        """Tell the server, again and again, what still runs here."""
        while True:
            await asyncio.sleep(RENEWED)
            await self.renew()

    async def renew(self) -> None:
        """What still runs here is counted there, whatever the server forgot."""
        grants = tuple(self._running.values())
        for start in range(0, len(grants), TOGETHER):
            still = [grant for grant in grants[start : start + TOGETHER] if grant.lease in self._running]
            await self._store.ask(partial(self._ledger.renew, still))

    async def told(self) -> None:
        """Until the server knows all that was settled."""
        while self._teller is not None:
            await asyncio.wait((self._teller,))

    def _decided(self, claims: tuple[Claim, ...], lease: str, answer: Sequence[object]) -> Grant | Refusal:
        """What the server's answer says. What others use is remembered from it."""
        which, number, *used = map(_number, answer)
        self._seen.note(claims, used, self._clock.now())
        if which > 0:
            return Refusal(claims[int(which) - 1].limit, NEVER if number < 0 else number)
        self._ahead = number - self._clock.time()
        grant = Grant(claims, number, lease)
        self._own.note(grant)
        self._note_running(grant)
        return grant

    def _decided_alone(self, claims: Sequence[Claim], lease: str, reply: Reply) -> Grant | Refusal:
        """The server's answer may still come: what it grants is settled there when this is settled here."""
        found = self._own.claim(claims, self._time(), lease)
        if isinstance(found, Grant):
            self._note_running(found)
            self._alone[lease] = reply
        else:
            reply.add_done_callback(partial(self._settle_late, Grant(tuple(claims), 0.0, lease), NOTHING))
        return found

    def _time(self) -> float:
        """The server's clock, as far as it is known here, so that both count in the same windows."""
        return self._clock.time() + self._ahead

    def _note_running(self, grant: Grant) -> None:
        if any(claim.limit.measure is Measure.RUNNING for claim in grant.claims):
            self._running[grant.lease] = grant

    def _settle_late(self, grant: Grant, spent: Mapping[Measure, int], reply: Reply) -> None:
        """What was decided here is over, and the server has answered, or will not: what it granted is settled too."""
        answer = None if reply.cancelled() else reply.result()
        if isinstance(answer, list) and _number(answer[0]) == 0:
            self._tell(grant._replace(at=_number(answer[1])), spent)
        else:
            self._tell(_running_of(grant), spent)

    def _tell(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        if grant.claims and len(self._pending) < MOST_PENDING:
            self._pending.append((grant, spent))
        if self._pending and self._teller is None:
            self._teller = asyncio.ensure_future(self._tell_all())
            self._teller.add_done_callback(self._tell_no_more)

    async def _tell_all(self) -> None:
        """One call after the other, so that nothing overtakes what was settled before."""
        while self._pending:
            batch, self._pending = self._pending[:TOGETHER], self._pending[TOGETHER:]
            await self._store.ask(partial(self._ledger.settle, batch))

    def _tell_no_more(self, teller: "asyncio.Task[None]") -> None:  # noqa: ARG002  as it is called
        self._teller = None


def _running_of(grant: Grant) -> Grant:
    """What of a grant the server may know although it did not make it: that it runs."""
    return grant._replace(claims=tuple(claim for claim in grant.claims if claim.limit.measure is Measure.RUNNING))


def _number(answer: object) -> float:
    return float(answer) if isinstance(answer, int | float | bytes | str) else NEVER


@asynccontextmanager
async def open_limiter(store: Store, clock: Clock, *, prefix: str) -> AsyncIterator[SharedLimiter]:
    """The limiter, which renews its leases until it is closed; then what was settled last is still told."""
    limiter = SharedLimiter(store, clock, prefix=prefix)
    renewing = asyncio.create_task(limiter.keep_renewing())
    try:
        yield limiter
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await limiter.told()
