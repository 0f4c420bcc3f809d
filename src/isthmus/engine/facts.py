"""An exchange as the fields of one log line. Nothing of the conversation, no secret."""

from isthmus.core.errors import Blame, GatewayError
from isthmus.core.value import Value
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.routing.places import ONE_KEY

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 0x2028, 0x2029), " ")


class AttemptFacts(Value, frozen=True, omit_defaults=True):
    """`ms` and `note` as in AttemptRecord; `reason` may name an upstream's address.

    `key` is the name of the key or account that was asked under, where the provider has several.
    """

    target: str
    ms: float
    error: str | None = None
    reason: str | None = None
    note: str | None = None
    key: str | None = None


class Facts(Value, frozen=True, omit_defaults=True, kw_only=True):
    """What is not known is left out. Times in milliseconds; `attempts` only where something failed.

    `read_as` tells how the name that was asked for led to another.

    `skipped` are the places that a limit had no room for, and which limit; `continued` says, for an answer that broke
    off, after how many characters who went on with it; `spill` says which provider's accounts could have answered at no
    cost, and what a million tokens cost where it was answered. `trace` is the id of the trace that it belongs to.
    """

    at: str
    level: str
    event: str
    id: str
    client: str
    path: str
    dialect: str
    model: str | None = None
    read_as: str | None = None
    target: str | None = None
    lane: str | None = None
    stream: bool | None = None
    status: int
    outcome: str
    ms: float
    first_byte_ms: float | None = None
    bytes_out: int = 0
    version: int
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    losses: tuple[str, ...] = ()
    attempts: tuple[AttemptFacts, ...] = ()
    skipped: tuple[str, ...] = ()
    continued: tuple[str, ...] = ()
    spill: str | None = None
    empty: bool = False
    cached: bool = False
    trace: str | None = None
    error: str | None = None
    message: str | None = None


def facts(exchange: Exchange, at: str) -> Facts:
    """`at` is when it began, as text."""
    end = exchange.finished_at if exchange.finished_at is not None else exchange.clock.now()
    began, first = exchange.started_at, exchange.first_byte_at
    peek, usage, error, attempts = exchange.peek, exchange.usage, exchange.error, exchange.attempts
    plan = exchange.plan
    return Facts(
        at=at,
        level=level_of(error),
        event="exchange",
        id=exchange.id,
        client=exchange.client.name,
        path=exchange.call.path,
        dialect=exchange.call.codec.dialect,
        model=peek.model[:200] if peek else None,
        read_as=plan.because[:500] if peek and plan and plan.name != peek.model else None,
        target=_target(attempts[-1]) if attempts else None,
        lane=exchange.lane,
        stream=peek.stream if peek else None,
        status=exchange.status,
        outcome=exchange.outcome,
        ms=round((end - began) * 1000, 1),
        first_byte_ms=None if first is None else round((first - began) * 1000, 1),
        bytes_out=exchange.bytes_out,
        version=exchange.version,
        input_tokens=usage.input if usage else None,
        output_tokens=usage.total_output if usage else None,
        cached_tokens=usage.cache_read if usage else None,
        reasoning_tokens=usage.reasoning if usage else None,
        losses=tuple(f"{loss.path} {loss.deed}" for loss in exchange.losses.found) if exchange.losses.found else (),
        attempts=tuple(_attempt(one) for one in attempts) if error is not None or len(attempts) > 1 else (),
        skipped=exchange.skipped,
        continued=exchange.seams,
        spill=_spill(exchange),
        empty=exchange.empty,
        cached=exchange.cached,
        trace=None if exchange.trace is None else f"{exchange.trace.id:032x}",
        error=error.kind if error else None,
        message=error.message[:500] if error else None,
    )


def level_of(error: GatewayError | None) -> str:
    """How much an exchange matters that ended so."""
    if error is None:
        return "info"
    return "warning" if error.rule.blame is Blame.CLIENT else "error"


def in_words(told: Facts, at: str) -> str:
    """The line for people. `at` is when it began, as text."""
    words = [at, str(told.status), told.path, f"{told.model} -> {told.target} ({told.lane})", f"{told.ms} ms"]
    if told.input_tokens is not None:
        words.append(f"{told.input_tokens} in, {told.output_tokens} out")
    if told.spill is not None:
        words.append(f"(spilled from {told.spill})")
    if told.outcome != "answered":
        words.append(told.outcome)
    if told.error is not None:
        words.append(f"{told.error}: {told.message}")
    words += [f"[{one.target}: {one.reason}]" for one in told.attempts if one.reason is not None]
    return one_line(" ".join(words))


def one_line(text: str) -> str:
    """The text without what would end the line, or command the terminal that shows it: clients choose some of it."""
    return text.translate(_CONTROLS)


def _spill(exchange: Exchange) -> str | None:
    answered = exchange.answered
    return None if answered is None or answered.spill is None else answered.spill.words()


def _target(attempt: AttemptRecord) -> str:
    return f"{attempt.target.provider}/{attempt.target.model}"


def _attempt(one: AttemptRecord) -> AttemptFacts:
    key = None if one.credential == ONE_KEY[0].name else one.credential
    return AttemptFacts(_target(one), round(one.milliseconds, 1), one.error, one.reason, one.note, key)
