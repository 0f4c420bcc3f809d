"""The scripts that hold limits at a server of Redis or Valkey, as calls. Each does what the ledger of routing does."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError

from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.state.scripts import CLAIM, RENEW, SETTLE
from isthmus.state.store import Answers

LEASE = 90.0
"""Seconds after which a lease ends of which nothing is heard."""
FORM = 1
"""Of what is kept there: an instance that counts in another form, after an upgrade, counts apart."""

Told: TypeAlias = tuple[Sequence[str], Sequence[str | int]]
"""A script's keys, and what else it is told."""


class Asked(NamedTuple):
    """All of `claims` or nothing, under the name `lease`."""

    claims: Sequence[Claim]
    lease: str


class SharedLedger:
    """`now` is the server's own time, unless another is given."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = f"{{{prefix}:limits}}:{FORM}"
        self._claim = redis.register_script(CLAIM)
        self._settle = redis.register_script(SETTLE)
        self._renew = redis.register_script(RENEW)

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

    async def settle(
        self, settled: Sequence[tuple[Grant, Mapping[Measure, int]]], *, now: float | None = None
    ) -> Answers:
        """As the ledger does, many at a time."""
        keys: list[str] = []
        told: list[str | int] = ["" if now is None else repr(now)]
        for grant, spent in settled:
            for limit, amount in grant.claims:
                keys.append(self._named(limit))
                told += (spent.get(limit.measure, amount) - amount, repr(grant.at), grant.lease, *_shape(limit))
        return [await self._settle(keys=keys, args=told)]

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
        return f"{self._prefix}:{limit.scope}:{limit.measure}:{limit.span}"


def _shape(limit: Limit) -> tuple[str, int, int]:
    """What a script must know of a window: the width of a part, and how many count before and after the present one."""
    if limit.measure is Measure.RUNNING:
        return "0", 0, 0
    return repr(limit.span / limit.parts), limit.parts if limit.parts > 1 else 0, limit.parts
