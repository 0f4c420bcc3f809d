"""What was decided for an exchange that is over, and what came of it: kept as references, told when somebody asks.

Nothing of the conversation is kept, and none of what its client sent to prove itself.
"""

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from struct import Struct
from typing import Any, NamedTuple

from isthmus.core.losses import Loss
from isthmus.core.usage import Usage
from isthmus.core.value import Value
from isthmus.dialects.codec import AnyCodec, Peek
from isthmus.engine.exchange import AttemptRecord, Exchange, Lane
from isthmus.engine.explanation import Refusal
from isthmus.engine.live import Now
from isthmus.routing.health import Place
from isthmus.routing.places import Ask
from isthmus.routing.plan import Plan, Target

_NOT_YET = -1.0
_NOBODY = AttemptRecord(Target("", ""))
"""Stands for the attempt of an exchange that asked nobody."""
_ROW = Struct("<40s5d6q")
"""Of one exchange: its id, its times, what it used and what had been guessed; -1 for what nobody told."""


class Shared(NamedTuple):
    """What very many exchanges have in common. `target` and `credential` are those of the first attempt."""

    client: str
    codec: AnyCodec
    model: str
    stream: bool
    plan: Plan | None
    target: Target
    credential: str
    lane: Lane | None
    status: int
    outcome: str
    losses: tuple[Loss, ...]
    more_losses: int


class Times(NamedTuple):
    """Of an exchange, and of its first attempt, as they have them. `finished_at` is below 0 where it is not over."""

    at: float
    started_at: float
    finished_at: float
    asked_at: float
    milliseconds: float


class Past(Value, frozen=True, kw_only=True):
    """One exchange that is over. What tells of more than one attempt that answered is `odd`."""

    id: str
    shared: Shared
    times: Times
    usage: Usage | None
    guessed: int | None
    odd: "Odd"

    def attempts(self) -> Sequence[AttemptRecord]:
        """All tries, the first one first."""
        if self.odd is not _NOT_ODD:
            return self.odd.attempts
        only = AttemptRecord(self.shared.target, self.shared.credential, self.times.asked_at)
        only.milliseconds = self.times.milliseconds
        return (only,)


class PastRing:
    """The latest exchanges that are over.

    A thousand others come and go before one is forgotten, so all memory of it is slow to reach by then: of most there
    is one row of numbers, side by side with those before and after it, and what it has in common with others.
    """

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._next = 0
        self._rows = bytearray(_ROW.size * kept)
        self._sharing: list[Shared | None] = [None] * kept
        self._odd: dict[int, Odd] = {}
        self._known: dict[tuple[object, ...], Shared] = {}

    def keep(self, exchange: Exchange) -> None:
        """Nothing of it changes any more. One that could not be read takes no place."""
        peek, usage, over, guessed = exchange.peek, exchange.usage, exchange.finished_at, exchange.guessed
        if peek is None:
            return
        first = exchange.attempts[0] if exchange.attempts else _NOBODY
        place, self._next = self._next, (self._next + 1) % self._kept
        self._sharing[place] = self._shared(exchange, peek, first)
        _ROW.pack_into(
            self._rows,
            place * _ROW.size,
            exchange.id.encode(),
            exchange.at,
            exchange.started_at,
            _NOT_YET if over is None else over,
            first.began,
            first.milliseconds,
            *(_UNTOLD if usage is None else _counts(usage)),
            -1 if guessed is None else guessed.tokens,
        )
        if not _is_plain(exchange):
            self._odd[place] = _odd(exchange)
        elif self._odd:
            self._odd.pop(place, None)

    def of(self, exchange_id: str) -> Past | None:
        """What became of an exchange, or None when it is no longer kept. The latest that has the id."""
        said = exchange_id.encode()
        for back in range(1, self._kept + 1):
            place = (self._next - back) % self._kept
            shared = self._sharing[place]
            if shared is None:
                return None
            identity, *numbers = _ROW.unpack_from(self._rows, place * _ROW.size)
            if identity.rstrip(b"\0") == said:
                return self._past(exchange_id, shared, numbers, self._odd.get(place, _NOT_ODD))
        return None

    def _past(self, identity: str, shared: Shared, numbers: Sequence[Any], odd: "Odd") -> Past:
        *counted, guessed = numbers[5:]
        return Past(
            id=identity,
            shared=shared,
            times=Times(*numbers[:5]),
            usage=None if counted[0] < 0 else Usage(*counted),
            guessed=None if guessed < 0 else guessed,
            odd=odd,
        )

    def _shared(self, exchange: Exchange, peek: Peek, first: AttemptRecord) -> Shared:
        """What it has in common with others. What is held is the same object, so that it can be told by where it is."""
        codec, plan, target = exchange.call.codec, exchange.plan, first.target
        client, lane, status, outcome = exchange.client.name, exchange.lane, exchange.status, exchange.outcome
        losses, more = (*exchange.losses.found,), exchange.losses.more
        key = (
            client,
            id(codec),
            peek.model,
            peek.stream,
            id(plan),
            id(target),
            first.credential,
            lane,
            status,
            outcome,
            losses,
            more,
        )
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._kept:
                self._known.clear()
            what = codec, peek.model, peek.stream, plan, target, first.credential, lane, status, outcome
            known = self._known[key] = Shared(client, *what, losses, more)
        return known


_UNTOLD = (-1, 0, 0, 0, 0)
_MOST = 2**62
"""What a count is at most, whatever a provider says."""


def _counts(usage: Usage) -> tuple[int, ...]:
    counts = usage.fresh_input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning
    return counts if sum(counts) <= _MOST else tuple(min(count, _MOST) for count in counts)


class Odd(Value, frozen=True, kw_only=True):
    """What most exchanges do not have: several attempts or none, an error, a way."""

    attempts: tuple[AttemptRecord, ...]
    asks: Sequence[Ask] = ()
    why_skipped: Mapping[Place, str] = {}
    preferred: Place | None = None
    skipped: tuple[str, ...] = ()
    seams: tuple[str, ...] = ()
    spill: str | None = None
    error: Refusal | None = None


_NOT_ODD = Odd(attempts=())


def _odd(exchange: Exchange) -> Odd:
    walk, error = exchange.walk, exchange.error
    return Odd(
        attempts=tuple(exchange.attempts),
        asks=() if walk is None or len(walk.asks) < 2 else walk.asks,
        why_skipped={} if walk is None else walk.skipped,
        preferred=None if exchange.bond is None else exchange.bond.place,
        skipped=exchange.skipped,
        seams=exchange.seams,
        spill=None if exchange.answered is None or exchange.answered.spill is None else exchange.answered.spill.why(),
        error=None if error is None else Refusal(error.kind, error.message),
    )


def _is_plain(exchange: Exchange) -> bool:
    """Is there nothing to be told but of one attempt that answered?"""
    attempts, answered = exchange.attempts, exchange.answered
    if answered is None or len(attempts) != 1 or attempts[0] is not answered:
        return False
    if exchange.error is not None or answered.error is not None or answered.note is not None:
        return False
    return (
        exchange.walk is None
        and exchange.bond is None
        and answered.spill is None
        and not (exchange.seams or exchange.skipped)
    )


class Attempt(Value, frozen=True, kw_only=True):
    """One try. Milliseconds: `after` the exchange began, and `ms` until its answer began or it failed."""

    provider: str
    key: str
    model: str
    after: float
    ms: float
    error: str | None
    reason: str | None
    note: str | None


class Considered(Value, frozen=True):
    """One place that the exchange could have gone to: `fate` is "asked", "skipped" or "not reached"."""

    provider: str
    key: str
    model: str
    fate: str
    why: str | None = None


class Spent(Value, frozen=True, kw_only=True):
    """Tokens, as the provider counted them. `estimated_input` is what was expected before, where that was needed.

    `dollars` is by the prices known now; None where there is none, and then `why` says so.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    estimated_input: int | None
    dollars: Decimal | None
    why: str | None


class PastExplained(Value, frozen=True, kw_only=True):
    """The whole record. `at` is Unix time; `ms` how long it took. `preferred` is where its conversation was answered
    before; `skipped` are the places that a limit had no room for, `continued` where the answer went on elsewhere.
    `spill` is there where a subscription could have covered it, in words.
    """

    id: str
    at: float
    client: str
    dialect: str
    operation: str
    model: str | None
    stream: bool | None
    route: str | None
    because: str | None
    preferred: str | None
    candidates: tuple[Considered, ...]
    attempts: tuple[Attempt, ...]
    skipped: tuple[str, ...]
    continued: tuple[str, ...]
    spill: str | None
    lane: str | None
    losses: tuple[Loss, ...]
    more_losses: int
    spent: Spent | None
    outcome: str
    status: int
    error: Refusal | None
    ms: float | None


def told_past(past: Past, now: Now) -> PastExplained:
    """The record, for whoever manages the gateway: keys have their names in it."""
    shared, odd, times = past.shared, past.odd, past.times
    plan = shared.plan
    return PastExplained(
        id=past.id,
        at=times.at,
        client=shared.client,
        dialect=shared.codec.dialect,
        operation=shared.codec.operation,
        model=shared.model,
        stream=shared.stream,
        route=None if plan is None else plan.name,
        because=None if plan is None else plan.because,
        preferred=None if odd.preferred is None else "/".join(odd.preferred),
        candidates=_considered(past),
        attempts=tuple(_attempt(one, times.started_at) for one in past.attempts()),
        skipped=odd.skipped,
        continued=odd.seams,
        spill=odd.spill,
        lane=shared.lane,
        losses=shared.losses,
        more_losses=shared.more_losses,
        spent=_spent(past, now),
        outcome=shared.outcome,
        status=shared.status,
        error=odd.error,
        ms=None if times.finished_at < 0 else round((times.finished_at - times.started_at) * 1000, 1),
    )


def _considered(past: Past) -> tuple[Considered, ...]:
    """Every place in the order that was made of them, each once."""
    why_skipped = past.odd.why_skipped
    asked = {one.place: None for one in past.attempts()}
    places = {ask.place: None for ask in past.odd.asks} | asked | dict.fromkeys(why_skipped)
    return tuple(_fate(place, asked.keys(), why_skipped) for place in places)


def _fate(place: Place, asked: Set[Place], why_skipped: Mapping[Place, str]) -> Considered:
    why = None if place in asked else why_skipped.get(place)
    fate = "asked" if place in asked else "not reached" if why is None else "skipped"
    return Considered(place.provider, place.credential, place.model, fate, why)


def _attempt(one: AttemptRecord, started_at: float) -> Attempt:
    return Attempt(
        provider=one.target.provider,
        key=one.credential,
        model=one.target.model,
        after=round((one.began - started_at) * 1000, 1),
        ms=round(one.milliseconds, 1),
        error=one.error,
        reason=one.reason,
        note=one.note,
    )


def _spent(past: Past, now: Now) -> Spent | None:
    usage, attempts = past.usage, past.attempts()
    if usage is None or not attempts:
        return None
    last = attempts[-1]
    tariff = now.tariffs.of(last.target, last.credential, past.times.at)
    unknown = f"no price of {last.target.model} at {last.target.provider} is known" if tariff is None else None
    return Spent(
        input_tokens=usage.input,
        output_tokens=usage.total_output,
        cached_tokens=usage.cache_read,
        reasoning_tokens=usage.reasoning,
        estimated_input=past.guessed,
        dollars=None if tariff is None else Decimal(tariff.microdollars(usage)).scaleb(-6),
        why=unknown,
    )
