"""What was decided for an exchange that is over, and what came of it: kept as references, told when somebody asks.

Nothing of the conversation is kept, and none of what its client sent to prove itself.
"""

from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from isthmus.core.losses import Loss, Losses
from isthmus.core.value import Value
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.explanation import Refusal
from isthmus.engine.live import Now
from isthmus.routing.health import Place
from isthmus.routing.places import Ask

NOTHING: Mapping[Place, str] = MappingProxyType({})
NO_LOSSES = Losses()
"""Of all exchanges that lost nothing."""


class Past:
    """One exchange. Made when it is over; nothing in it changes any more, and little of it is its own."""

    __slots__ = (
        "asks",
        "at",
        "attempts",
        "client",
        "codec",
        "error",
        "finished_at",
        "guessed",
        "id",
        "lane",
        "losses",
        "model",
        "outcome",
        "plan",
        "preferred",
        "seams",
        "skipped",
        "started_at",
        "status",
        "stream",
        "usage",
        "why_skipped",
    )

    def __init__(self, exchange: Exchange) -> None:
        peek, walk, usage, error = exchange.peek, exchange.walk, exchange.usage, exchange.error
        self.id = exchange.id
        self.at = exchange.at
        self.started_at = exchange.started_at
        self.finished_at = exchange.finished_at
        self.client = exchange.client.name
        self.codec = exchange.call.codec
        self.model = None if peek is None else peek.model
        self.stream = None if peek is None else peek.stream
        self.plan = exchange.plan
        self.preferred = None if exchange.bond is None else exchange.bond.place
        self.asks: Sequence[Ask] = () if walk is None or len(walk.asks) < 2 else walk.asks
        self.why_skipped: Mapping[Place, str] = NOTHING if walk is None or not walk.skipped else walk.skipped
        self.attempts = tuple(exchange.attempts)
        self.skipped = exchange.skipped
        self.seams = exchange.seams
        self.lane = exchange.lane
        self.losses = exchange.losses if exchange.losses.found else NO_LOSSES
        self.usage = usage if usage is None or usage.native is None else replace(usage, native=None)
        self.guessed = None if exchange.guessed is None else exchange.guessed.tokens
        self.status = exchange.status
        self.outcome = exchange.outcome
        self.error = None if error is None else Refusal(error.kind, error.message)


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
    plan = past.plan
    return PastExplained(
        id=past.id,
        at=past.at,
        client=past.client,
        dialect=past.codec.dialect,
        operation=past.codec.operation,
        model=past.model,
        stream=past.stream,
        route=None if plan is None else plan.name,
        because=None if plan is None else plan.because,
        preferred=None if past.preferred is None else "/".join(past.preferred),
        candidates=_considered(past),
        attempts=tuple(_attempt(one, past.started_at) for one in past.attempts),
        skipped=past.skipped,
        continued=past.seams,
        lane=past.lane,
        losses=tuple(past.losses.found),
        more_losses=past.losses.more,
        spent=_spent(past, now),
        outcome=past.outcome,
        status=past.status,
        error=past.error,
        ms=None if past.finished_at is None else round((past.finished_at - past.started_at) * 1000, 1),
    )


def _considered(past: Past) -> tuple[Considered, ...]:
    """Every place in the order that was made of them, each once."""
    asked = {one.place: None for one in past.attempts}
    places = {ask.place: None for ask in past.asks} | asked | dict.fromkeys(past.why_skipped)
    return tuple(_fate(place, asked.keys(), past.why_skipped) for place in places)


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
    usage = past.usage
    if usage is None or not past.attempts:
        return None
    last = past.attempts[-1]
    tariff = now.tariffs.of(last.target, last.credential, past.at)
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
