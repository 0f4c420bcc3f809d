"""Limits that many instances hold together, through Redis or Valkey.

Each decision is one script there, so that no two instances are granted the same room. It does what the ledger does
(routing/limits.py), by the server's clock. While the server is slow or gone, an instance goes by what it last told, and
by its own ledger, which holds whatever it was granted itself: so when nothing was heard for a while, each one alone may
use what all were to share. What was granted so is told to the server as soon as it is there. What is settled is told in
the background, many at a time, and what still runs every RENEWED seconds; a lease of which nothing is heard for LEASE
seconds ends, for its instance is gone.
"""

import asyncio
import itertools
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from isthmus.engine.ports import Clock
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal, Remembered
from isthmus.state.patience import in_time
from isthmus.state.seen import Seen
from isthmus.state.shared_ledger import LEASE, Asked, Change, SharedLedger, begun_alone, settled, settled_alone
from isthmus.state.shared_server import SharedServer
from isthmus.state.together import Reply, Together

RENEWED = 30.0
"""Seconds after which it is told anew what still runs here."""
TOGETHER = 100
"""Changes, or leases that are renewed, in one call."""
MOST_PENDING = 10_000
"""Changes that wait to be told; more are left to themselves: what was claimed counts, and leases end."""
HELD = 3600.0
"""Seconds for which a change of a long window waits while the server is gone. Others wait for as long as theirs is."""
NOTHING: Mapping[Measure, int] = dict.fromkeys(Measure, 0)
"""What was given back unused."""


class SharedLimiter:
    """Implements the engine's Limiter. What is claimed at the same moment is asked for in one call.

    Inside, `_own` holds what was granted here, and `_seen` what all had used when the server last told it. `_ahead` is
    the server's clock less this one. `_running` are the leases to renew, `_alone` the questions that the server has not
    answered yet and that were granted without it, `_pending` what it is to be told, each since when. `alone` is how
    many those were, since the start.
    """

    def __init__(self, server: SharedServer, clock: Clock, *, prefix: str) -> None:
        self._server = server
        self._ledger = SharedLedger(server.redis, prefix)
        self._asking = Together(server, self._ledger.claim)
        self._clock = clock
        instance = secrets.token_hex(4)
        self._own = Ledger()
        self._leases = (f"{instance}-{number}" for number in itertools.count(1))
        self._ahead = 0.0
        self._seen = Seen()
        self._running: dict[str, Grant] = {}
        self._alone: dict[str, Reply] = {}
        self._pending: deque[tuple[float, Change]] = deque()
        self._teller: asyncio.Task[None] | None = None
        self.alone = 0
        server.when_back.append(self._go_on_telling)

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        return self._server.state

    async def prepare(self) -> None:
        """Before the first claim, so that it costs one way there and back like any other."""
        await self._server.greet(self._ledger.load)

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing."""
        lease = next(self._leases)
        reply = self._asking.ask(Asked(claims, lease))
        try:
            await in_time(reply, self._server.budget)
        except asyncio.CancelledError:
            reply.add_done_callback(partial(self._settle_late, Grant(tuple(claims), 0.0, lease), NOTHING))
            raise
        decided = _decision(reply) if reply.done() else None
        if decided is None:
            return self._decided_alone(tuple(claims), lease, reply)
        return self._decided(tuple(claims), lease, decided)

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`. It is told to the server in the background."""
        self._own.settle(grant, spent, self._time())
        self._seen.settled(grant, spent)
        self._running.pop(grant.lease, None)
        reply = self._alone.pop(grant.lease, None)
        if reply is None:
            self._tell(settled(grant, spent))
        else:
            reply.add_done_callback(partial(self._settle_late, grant, spent))

    def tab(self, limits: Sequence[Limit]) -> None:
        """None of them is counted here alone."""

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
            await self._server.ask(partial(self._ledger.renew, still))

    async def remember(self, found: Sequence[Remembered]) -> None:
        """At least so much is spent of budgets: here, and there, should the server have forgotten it."""
        for limit, total, _, at in found:
            self._own.raise_to(limit, total, at)
        spent = [one for one in found if one.total > 0]
        for start in range(0, len(spent), TOGETHER):
            claims = [Claim(one.limit, one.total) for one in spent[start : start + TOGETHER]]
            await self._server.ask(partial(self._ledger.raise_to, claims, now=spent[start].at))

    async def told(self) -> None:
        """Until the server knows all, or is gone."""
        while self._teller is not None:
            await asyncio.wait((self._teller,))

    def _decided(self, claims: tuple[Claim, ...], lease: str, decision: "_Decision") -> Grant | Refusal:
        """What the server's answer says. What others use is remembered from it."""
        which, number, used = decision
        self._seen.note(claims, used, self._clock.now())
        if which > 0:
            return Refusal(claims[which - 1].limit, NEVER if number < 0 else number)
        self._ahead = number - self._clock.time()
        grant = Grant(claims, number, lease)
        self._own.note(grant)
        self._note_running(grant)
        return grant

    def _decided_alone(self, claims: tuple[Claim, ...], lease: str, reply: Reply) -> Grant | Refusal:
        """The server's answer may still come: what it grants is settled there when this is settled here."""
        reply.add_done_callback(partial(self._note_late, claims))
        found = self._seen.refusal(claims, self._clock.now()) or self._own.claim(claims, self._time(), lease)
        if isinstance(found, Refusal):
            reply.add_done_callback(partial(self._settle_late, Grant(claims, 0.0, lease), NOTHING))
        else:
            self.alone += 1
            self._seen.claimed(claims)
            self._note_running(found)
            self._alone[lease] = reply
            reply.add_done_callback(partial(self._begin_late, found))
        return found

    def _time(self) -> float:
        """The server's clock, as far as it is known here, so that both count in the same windows."""
        return self._clock.time() + self._ahead

    def _note_running(self, grant: Grant) -> None:
        if any(claim.limit.measure is Measure.RUNNING for claim in grant.claims):
            self._running[grant.lease] = grant

    def _note_late(self, claims: Sequence[Claim], reply: Reply) -> None:
        if (decision := _decision(reply)) is not None:
            self._seen.note(claims, decision.used, self._clock.now())

    def _begin_late(self, grant: Grant, reply: Reply) -> None:
        """What was granted here, and not by the server, counts there from now on, beside what it told of others."""
        decision = _decision(reply)
        if decision is not None and decision.which > 0:
            self._seen.claimed(grant.claims)
        if decision is None or decision.which > 0:
            self._tell(begun_alone(grant))

    def _settle_late(self, grant: Grant, spent: Mapping[Measure, int], reply: Reply) -> None:
        """What was decided here is over, and the server has answered, or will not: what it granted is settled too."""
        at = _granted_at(reply)
        self._tell(settled_alone(grant, spent) if at is None else settled(grant._replace(at=at), spent))

    def _tell(self, changes: Iterable[Change]) -> None:
        now = self._clock.now()
        self._pending += ((now, each) for each in itertools.islice(changes, MOST_PENDING - len(self._pending)))
        self._go_on_telling()

    def _go_on_telling(self) -> None:
        """While the server is gone, what it is to be told waits."""
        if self._pending and self._teller is None and self._server.in_use:
            self._teller = asyncio.ensure_future(self._tell_all())
            self._teller.add_done_callback(self._tell_no_more)

    async def _tell_all(self) -> None:
        """One call after the other, so that nothing overtakes what was to be told before."""
        while self._pending and self._server.in_use:
            batch = [self._pending.popleft() for _ in range(min(TOGETHER, len(self._pending)))]
            now = self._clock.now()
            changes = [each for since, each in batch if now - since < _held(each.limit)]
            if changes:
                await self._server.ask(partial(self._ledger.change, changes))

    def _tell_no_more(self, teller: "asyncio.Task[None]") -> None:
        self._teller = None
        if not teller.cancelled():
            self._go_on_telling()


class _Decision(NamedTuple):
    """Which claim is refused, from 1 on, or 0; for how long, or when it was granted; what is used of each limit."""

    which: int
    number: float
    used: Sequence[float]


def _decision(reply: Reply) -> _Decision | None:
    """What the server decided; None when nobody knows."""
    answer = None if reply.cancelled() else reply.result()
    if not isinstance(answer, list):
        return None
    which, number, *used = map(_number, answer)
    return _Decision(int(which), number, used)


def _granted_at(reply: Reply) -> float | None:
    """When the server granted it; None when it did not, or nobody knows."""
    decision = _decision(reply)
    return decision.number if decision is not None and decision.which == 0 else None


def _held(limit: Limit) -> float:
    return LEASE if limit.measure is Measure.RUNNING else min(limit.span or HELD, HELD)


def _number(answer: object) -> float:
    return float(answer) if isinstance(answer, int | float | bytes | str) else NEVER


@asynccontextmanager
async def open_limiter(server: SharedServer, clock: Clock, *, prefix: str) -> AsyncIterator[SharedLimiter]:
    """The limiter, which renews its leases until it is closed; then what was settled last is still told."""
    limiter = SharedLimiter(server, clock, prefix=prefix)
    await limiter.prepare()
    renewing = asyncio.create_task(limiter.keep_renewing())
    try:
        yield limiter
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await limiter.told()
