"""The scripts that hold limits at a server of Redis or Valkey, as calls. Each does what the ledger of routing does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError

from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.state.scripts import CHANGE, CLAIM, PERIODS, RAISE, RENEW
from isthmus.state.shared_server import Answers

LEASE = 90.0
"""Seconds after which a lease ends of which nothing is heard."""
FORM = 1
"""Of what is kept there: an instance that counts in another form, after an upgrade, counts apart."""
_KNOWN = frozenset({Measure.REQUESTS, Measure.RUNNING})
"""Measures of which a request takes what it claimed, whatever becomes of it."""

Told: TypeAlias = tuple[Sequence[str], Sequence[str | int]]
"""A script's keys, and what else it is told."""


class Asked(NamedTuple):
    """All of `claims` or nothing, under the name `lease`."""

    claims: Sequence[Claim]
    lease: str


class Change(NamedTuple):
    """`difference` to what counts of a limit since Unix time `at`; a running request is under the name `lease`."""

    limit: Limit
    difference: int
    at: float
    lease: str


def settled(grant: Grant, spent: Mapping[Measure, int]) -> Iterator[Change]:
    """The server granted it, and it came to `spent`."""
    for limit, amount in grant.claims:
        came_to = 0 if limit.measure is Measure.RUNNING else spent.get(limit.measure, amount)
        if came_to != amount:
            yield Change(limit, came_to - amount, grant.at, grant.lease)


def begun_alone(grant: Grant) -> Iterator[Change]:
    """It was granted without the server. Nobody knows yet what it comes to, but that it is a request, and runs."""
    for limit, amount in grant.claims:
        if limit.measure in _KNOWN:
            yield Change(limit, amount, grant.at, grant.lease)


def settled_alone(grant: Grant, spent: Mapping[Measure, int]) -> Iterator[Change]:
    """It was granted without the server, which was told that it began, and came to `spent`."""
    for limit, amount in grant.claims:
        if limit.measure is Measure.RUNNING:
            yield Change(limit, -amount, grant.at, grant.lease)
        elif limit.measure not in _KNOWN and (came_to := spent.get(limit.measure, amount)):
            yield Change(limit, came_to, grant.at, grant.lease)


class SharedLedger:
    """`now` is the server's own time, unless another is given."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{{{prefix}:limits}}:{FORM}"
        self._claim = redis.register_script(CLAIM)
        self._change = redis.register_script(CHANGE)
        self._renew = redis.register_script(RENEW)
        self._raise = redis.register_script(RAISE)

    async def load(self) -> None:
        """Let the server know the script that requests wait for."""
        await self._redis.script_load(CLAIM)

    async def claim(self, asked: Sequence[Asked], *, now: float | None = None) -> Answers:
        """Decide each for itself. An answer is a list: which claim is refused, from 1 on, and for how long; or 0, and
        when it was granted; then what is used of the limit of each claim."""
        calls = [self._claim_of(claims, lease, now) for claims, lease in asked]
        answers = await self._run_all(self._claim, calls)
        if unknown := [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]:
            await self._redis.script_load(CLAIM)
            again = await self._run_all(self._claim, [calls[place] for place in unknown])
            for place, answer in zip(unknown, again, strict=True):
                answers[place] = answer
        for answer in answers:
            if isinstance(answer, RedisError):
                raise answer
        return answers

    async def change(self, changes: Sequence[Change], *, now: float | None = None) -> Answers:
        """As the ledger does when something is settled, or noted that was granted elsewhere."""
        keys: list[str] = []
        told: list[str | int] = ["" if now is None else repr(now), repr(LEASE)]
        for limit, difference, at, lease in changes:
            keys.append(self._named(limit))
            told += (difference, repr(at), lease, *_shape(limit))
        return [await self._change(keys=keys, args=told)]

    async def renew(self, grants: Sequence[Grant], *, now: float | None = None) -> Answers:
        """As the ledger does."""
        keys: list[str] = []
        told: list[str | int] = ["" if now is None else repr(now), repr(LEASE)]
        for grant in grants:
            for limit, _ in grant.claims:
                if limit.measure is Measure.RUNNING:
                    keys.append(self._named(limit))
                    told.append(grant.lease)
        return [await self._renew(keys=keys, args=told)]

    async def raise_to(self, amounts: Sequence[Claim], *, now: float | None = None) -> Answers:
        """As the ledger does, many at a time."""
        told: list[str | int] = ["" if now is None else repr(now)]
        for limit, amount in amounts:
            told += (amount, *_shape(limit))
        return [await self._raise(keys=[self._named(limit) for limit, _ in amounts], args=told)]

    def _claim_of(self, claims: Sequence[Claim], lease: str, now: float | None) -> Told:
        told: list[str | int] = ["" if now is None else repr(now), lease, repr(LEASE)]
        for limit, amount in claims:
            told += (amount, limit.most, *_shape(limit))
        return [self._named(limit) for limit, _ in claims], told

    async def _run_all(self, script: AsyncScript, calls: Sequence[Told]) -> list[object]:
        """In one round trip. An answer may be an error."""
        pipe = self._redis.pipeline(transaction=False)
        for keys, told in calls:
            pipe.evalsha(script.sha, len(keys), *keys, *told)
        answers: list[object] = await pipe.execute(raise_on_error=False)
        return answers

    def _named(self, limit: Limit) -> str:
        return f"{self._prefix}:{limit.scope}:{limit.measure}:{limit.period or limit.span}"


def _shape(limit: Limit) -> tuple[str, int, int]:
    """What a script must know of a window: the width of a part, and how many count before and after the present one."""
    if limit.measure is Measure.RUNNING:
        return "0", 0, 0
    if limit.period is not None:
        return repr(PERIODS[limit.period]), 0, 1
    return repr(limit.span / limit.parts), limit.parts if limit.parts > 1 else 0, limit.parts
