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

from redis.asyncio import Redis

from isthmus.engine.ports import Clock
from isthmus.routing.limits import NEVER, Claim, Grant, Ledger, Limit, Measure, Refusal
from isthmus.state.scripts import CLAIM, RENEW, SETTLE
from isthmus.state.seen import Seen
from isthmus.state.store import Answers, Store

LEASE = 90.0
RENEWED = 30.0
TOGETHER = 100
"""Grants that are settled or renewed in one call."""
MOST_PENDING = 10_000
"""Grants that wait to be settled; more are left to themselves: what they claimed counts, and their leases end."""
FORM = 1
"""Of what is kept there: an instance that counts in another form, after an upgrade, counts apart."""


class SharedLimits:
    """The scripts, as calls. `now` is the server's own time, unless another is given."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._prefix = f"{{{prefix}:limits}}:{FORM}"
        self._claim = redis.register_script(CLAIM)
        self._settle = redis.register_script(SETTLE)
        self._renew = redis.register_script(RENEW)

    async def claim(self, claims: Sequence[Claim], lease: str, *, now: float | None = None) -> Answers:
        """Which claim is refused, from 1 on, and for how long; or 0, and when it was granted. Then what is used."""
        keys = [self._named(limit) for limit, _ in claims]
        told: list[str | int | float] = ["" if now is None else repr(now), lease, repr(LEASE)]
        for limit, amount in claims:
            told += (amount, limit.most, *_shape(limit))
        return [*await self._claim(keys=keys, args=told)]

    async def settle(
        self, settled: Sequence[tuple[Grant, Mapping[Measure, int]]], *, now: float | None = None
    ) -> Answers:
        keys: list[str] = []
        told: list[str | int | float] = ["" if now is None else repr(now)]
        for grant, spent in settled:
            for limit, amount in grant.claims:
                keys.append(self._named(limit))
                told += (spent.get(limit.measure, amount) - amount, repr(grant.at), grant.lease, *_shape(limit))
        return [await self._settle(keys=keys, args=told)]

    async def renew(self, grants: Sequence[Grant], *, now: float | None = None) -> Answers:
        keys: list[str] = []
        told: list[str | int | float] = ["" if now is None else repr(now), repr(LEASE)]
        for grant in grants:
            for limit, _ in grant.claims:
                if limit.measure is Measure.RUNNING:
                    keys.append(self._named(limit))
                    told.append(grant.lease)
        return [await self._renew(keys=keys, args=told)]

    def _named(self, limit: Limit) -> str:
        return f"{self._prefix}:{limit.scope}:{limit.measure}:{limit.span}"


def _shape(limit: Limit) -> tuple[str, int, int]:
    """What a script must know of a window: the width of a part, and how many count before and after the present one."""
    if limit.measure is Measure.RUNNING:
        return "0", 0, 0
    return repr(limit.span / limit.parts), limit.parts if limit.parts > 1 else 0, limit.parts


class SharedLimiter:
    """Implements the engine's Limiter."""

    def __init__(self, store: Store, clock: Clock, *, prefix: str) -> None:
        self._store = store
        self._limits = SharedLimits(store.redis, prefix)
        self._clock = clock
        instance = secrets.token_hex(4)
        self._own = Ledger()
        self._leases = (f"{instance}-{number}" for number in itertools.count(1))
        self._ahead = 0.0
        self._seen = Seen()
        self._running: dict[str, Grant] = {}
        self._alone: dict[str, asyncio.Task[Answers | None] | None] = {}
        self._pending: list[tuple[Grant, Mapping[Measure, int]]] = []
        self._teller: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """For people: "shared", or since when the server cannot be reached."""
        return self._store.state

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing."""
        lease = next(self._leases)
        task = self._store.start(partial(self._limits.claim, claims, lease))
        answers = None if task is None else await self._store.wait(task)
        if answers is not None:
            return self._decided(tuple(claims), lease, answers)
        found = self._own.claim(claims, self._time(), lease)
        if isinstance(found, Grant):
            self._note_running(found)
            self._alone[lease] = task
        elif task is not None:
            nothing = dict.fromkeys(Measure, 0)
            task.add_done_callback(partial(self._settle_late, Grant(tuple(claims), 0.0, lease), nothing))
        return found

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`. It is told to the server in the background."""
        self._own.settle(grant, spent, self._time())
        self._seen.settled(grant, spent)
        self._running.pop(grant.lease, None)
        if grant.lease not in self._alone:
            self._tell(grant, spent)
        elif (task := self._alone.pop(grant.lease)) is None:
            self._tell(_running_of(grant), spent)
        else:
            task.add_done_callback(partial(self._settle_late, grant, spent))

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
            await self._store.ask(partial(self._limits.renew, still))

    async def told(self) -> None:
        """Until the server knows all that was settled."""
        while self._teller is not None:
            await asyncio.wait((self._teller,))

    def _decided(self, claims: tuple[Claim, ...], lease: str, answers: Answers) -> Grant | Refusal:
        """What the server's answer says. What others use is remembered from it."""
        which, number, *used = (_number(answer) for answer in answers)
        self._seen.note(claims, used, self._clock.now())
        if which > 0:
            return Refusal(claims[int(which) - 1].limit, NEVER if number < 0 else number)
        self._ahead = number - self._clock.time()
        grant = Grant(claims, number, lease)
        self._own.note(grant)
        self._note_running(grant)
        return grant

    def _time(self) -> float:
        """The server's clock, as far as it is known here, so that both count in the same windows."""
        return self._clock.time() + self._ahead

    def _note_running(self, grant: Grant) -> None:
        if any(claim.limit.measure is Measure.RUNNING for claim in grant.claims):
            self._running[grant.lease] = grant

    def _settle_late(self, grant: Grant, spent: Mapping[Measure, int], task: asyncio.Task[Answers | None]) -> None:
        """The server has answered after this instance decided alone, or will not: what it granted is settled too."""
        answers = None if task.cancelled() else task.result()
        if answers is not None and _number(answers[0]) == 0:
            self._tell(grant._replace(at=_number(answers[1])), spent)
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
            await self._store.ask(partial(self._limits.settle, batch))

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
