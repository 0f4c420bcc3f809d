"""What was decided for an exchange that is over, and what came of it: kept as references, told when somebody asks.

Nothing of the conversation is kept, and none of what its client sent to prove itself.
"""

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from struct import Struct
from typing import NamedTuple

from msgspec.structs import replace

from isthmus.core.losses import Loss
from isthmus.core.value import Value
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.explanation import Refusal
from isthmus.engine.live import Now
from isthmus.routing.health import Place
from isthmus.routing.places import Ask
from isthmus.routing.plan import Target

_TIMES = Struct("<5d")
_NOT_YET = -1.0
_NOBODY = AttemptRecord(Target("", ""))
"""Stands for the attempt of an exchange that asked nobody."""


class Past:
    """One exchange. Made when it is over; nothing in it changes any more, and little of it is its own.

    A thousand others come and go before it does, so all of its memory is slow to reach by then, and so is that of what
    is put in its place: most take a few small pieces. What tells of more than one attempt that answered is `odd`.
    """

    __slots__ = (
        "_times",
        "client",
        "codec",
        "credential",
        "guessed",
        "id",
        "lane",
        "model",
        "odd",
        "outcome",
        "plan",
        "status",
        "stream",
        "target",
        "usage",
    )

    def __init__(self, exchange: Exchange) -> None:
        peek, plan, usage, over = exchange.peek, exchange.plan, exchange.usage, exchange.finished_at
        first = exchange.attempts[0] if exchange.attempts else _NOBODY
        self.id = exchange.id
        self.client = exchange.client.name
        self.codec = exchange.call.codec
        self.model = None if peek is None else peek.model if plan is None or plan.name != peek.model else plan.name
        self.stream = None if peek is None else peek.stream
        self.plan = plan
        self.target, self.credential = first.target, first.credential
        self.lane = exchange.lane
        self.usage = usage if usage is None or usage.native is None else replace(usage, native=None)
        self.guessed = None if exchange.guessed is None else exchange.guessed.tokens
        self.status = exchange.status
        self.outcome = exchange.outcome
        over = _NOT_YET if over is None else over
        self._times = _TIMES.pack(exchange.at, exchange.started_at, over, first.began, first.milliseconds)
        self.odd = _NOT_ODD if _is_plain(exchange) else _odd(exchange)

    @property
    def times(self) -> "Times":
        return Times(*_TIMES.unpack(self._times))

    def attempts(self) -> Sequence[AttemptRecord]:
        """All tries, the first one first."""
        if self.odd is not _NOT_ODD:
            return self.odd.attempts
        times = self.times
        only = AttemptRecord(self.target, self.credential, times.asked_at)
        only.milliseconds = times.milliseconds
        return (only,)


class Times(NamedTuple):
    """Of an exchange, and of its first attempt, as they have them. `finished_at` is below 0 where it is not over."""

    at: float
    started_at: float
    finished_at: float
    asked_at: float
    milliseconds: float


class Odd(Value, frozen=True, kw_only=True):
    """What most exchanges do not have: several attempts or none, an error, a way, losses."""

    attempts: tuple[AttemptRecord, ...]
    asks: Sequence[Ask] = ()
    why_skipped: Mapping[Place, str] = {}
    preferred: Place | None = None
    skipped: tuple[str, ...] = ()
    seams: tuple[str, ...] = ()
    spill: str | None = None
    losses: tuple[Loss, ...] = ()
    more_losses: int = 0
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
        losses=tuple(exchange.losses.found),
        more_losses=exchange.losses.more,
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
        and not (exchange.losses.found or exchange.seams or exchange.skipped)
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
    plan, odd, times = past.plan, past.odd, past.times
    return PastExplained(
        id=past.id,
        at=times.at,
        client=past.client,
        dialect=past.codec.dialect,
        operation=past.codec.operation,
        model=past.model,
        stream=past.stream,
        route=None if plan is None else plan.name,
        because=None if plan is None else plan.because,
        preferred=None if odd.preferred is None else "/".join(odd.preferred),
        candidates=_considered(past),
        attempts=tuple(_attempt(one, times.started_at) for one in past.attempts()),
        skipped=odd.skipped,
        continued=odd.seams,
        spill=odd.spill,
        lane=past.lane,
        losses=odd.losses,
        more_losses=odd.more_losses,
        spent=_spent(past, now),
        outcome=past.outcome,
        status=past.status,
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
