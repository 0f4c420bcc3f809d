"""What an exchange came to: one rule for each way that a try at a place can end, and the sum of them in microdollars.

Budgets, limits, the rows of use and the metrics all ask here, so that their sums are the same. What a provider counted
is what it came to; an estimate stands in only where nobody counted. An exchange is rounded up once.
"""

import math
from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from fractions import Fraction
from typing import TYPE_CHECKING

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.usage import Usage
from isthmus.core.value import Value
from isthmus.engine.expected import BYTES
from isthmus.routing.limits import Measure

if TYPE_CHECKING:
    from isthmus.engine.exchange import AttemptRecord, Exchange
    from isthmus.engine.tariffs import Tariffs

MOST_GUESSED = 100_000
"""Tokens of input that a body is taken for at most, where nothing but its length is known: a longer one holds files."""
SILENT = frozenset({Kind.TIMED_OUT, Kind.CUT_SHORT, Kind.GARBLED, Kind.CANCELLED})
"""Failures without an answer, in which the provider may have had the request."""
STREAMED: Mapping[str, int] = {"anthropic": 40, "gemini": 16, "gemini_array": 16, "ollama": 130, "ollama_generate": 110}
"""Bytes of a stream for one token of output, by its dialect; each has its own frame around a few of them."""
STREAMED_ELSE = 200
NOTHING = Usage()
_TOKENS, _MICRODOLLARS = Measure.TOKENS, Measure.MICRODOLLARS


class Ending(StrEnum):
    """How a try at a place was over."""

    ANSWERED = "answered"
    BROKEN = "broken"
    LEFT = "left"
    FAILED = "failed"
    OUTRUN = "outrun"
    REFUSED = "refused"
    UNSENT = "unsent"


class Rule(Enum):
    """What it came to: what was counted, else what was expected; what was counted or seen so far; the input, as it was
    expected; nothing."""

    COUNTED = auto()
    SO_FAR = auto()
    INPUT = auto()
    NOTHING = auto()


RULES: Mapping[Ending, Rule] = {
    Ending.ANSWERED: Rule.COUNTED,
    Ending.BROKEN: Rule.SO_FAR,
    Ending.LEFT: Rule.INPUT,
    Ending.FAILED: Rule.INPUT,
    Ending.OUTRUN: Rule.INPUT,
    Ending.REFUSED: Rule.NOTHING,
    Ending.UNSENT: Rule.NOTHING,
}


class Spending(Value, frozen=True, gc=False):
    """All that an exchange came to. `microdollars` is None where nobody knows a price of any place that took it."""

    usage: Usage
    microdollars: int | None

    @property
    def tokens(self) -> int:
        """All of them."""
        usage = self.usage
        return usage.fresh_input + usage.cache_read + usage.cache_write + usage.output + usage.reasoning

    def by_measure(self) -> Mapping[Measure, int]:
        """What its limits are told."""
        return {_TOKENS: self.tokens, _MICRODOLLARS: self.microdollars or 0}


SPENT_NOTHING = Spending(NOTHING, 0)


def how_failed(error: GatewayError, *, heard: bool) -> Ending:
    """How a try ended that brought no answer. `heard`: the head of one had come."""
    if error.upstream_status is not None:
        return Ending.REFUSED
    return Ending.FAILED if heard or error.kind in SILENT else Ending.UNSENT


def spending(exchange: "Exchange", tariffs: "Tariffs") -> Spending:
    """What an exchange that is over came to. Worked out once."""
    found = exchange.spent
    if found is None:
        found = exchange.spent = _work_out(exchange, tariffs)
    return found


def spending_at(exchange: "Exchange", record: "AttemptRecord", tariffs: "Tariffs") -> Spending:
    """What one of its tries came to."""
    usage = used_by(exchange, record)
    if usage is NOTHING:
        return SPENT_NOTHING
    tariff = tariffs.of(record.target, record.credential, exchange.at)
    return Spending(usage, None if tariff is None else tariff.microdollars(usage))


def used_by(exchange: "Exchange", record: "AttemptRecord") -> Usage:
    """The tokens of one try, by the rule for its ending."""
    if exchange.call.codec.operation is Operation.COUNT_TOKENS:
        return NOTHING
    if record.usage is not None:
        return record.usage
    counted = exchange.usage if record is exchange.answered and not exchange.seams else None
    match RULES[ending_of(exchange, record)]:
        case Rule.COUNTED:
            return counted or _guessed(exchange)
        case Rule.SO_FAR:
            return so_far(exchange, counted, _seen(exchange))
        case Rule.INPUT:
            return estimated(exchange)
        case Rule.NOTHING:
            return NOTHING


def estimated(exchange: "Exchange", output: int = 0) -> Usage:
    """The input as it was expected, where nobody has counted it."""
    expected = exchange.expected
    return Usage(min(exchange.bytes_in // BYTES, MOST_GUESSED) if expected is None else expected.input, output=output)


def ending_of(exchange: "Exchange", record: "AttemptRecord") -> Ending:
    """How a try was over, of an exchange that is."""
    if record.ending is not None:
        return record.ending
    if record is not exchange.answered:
        return Ending.LEFT
    return Ending.ANSWERED if exchange.outcome == "answered" else Ending.BROKEN


def _work_out(exchange: "Exchange", tariffs: "Tariffs") -> Spending:
    records, usage = exchange.attempts, exchange.usage
    if len(records) == 1:
        record = records[0]
        if usage is None or record is not exchange.answered or exchange.error is not None or exchange.cancelled:
            return spending_at(exchange, record, tariffs)
        tariff = tariffs.of(record.target, record.credential, exchange.at)  # most of them: answered, and counted
        return Spending(usage, None if tariff is None else tariff.microdollars(usage))
    usage, exact, priced = NOTHING, Fraction(0), False
    for record in records:
        one = used_by(exchange, record)
        if one is NOTHING:
            continue
        usage = one if usage is NOTHING else _both(usage, one)
        tariff = tariffs.of(record.target, record.credential, exchange.at)
        if tariff is not None:
            exact, priced = exact + tariff.fraction(one), True
    if usage is NOTHING:
        return SPENT_NOTHING
    return Spending(usage, math.ceil(exact) if priced else None)


def _both(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.fresh_input + other.fresh_input,
        one.cache_read + other.cache_read,
        one.cache_write + other.cache_write,
        one.output + other.output,
        one.reasoning + other.reasoning,
    )


def so_far(exchange: "Exchange", counted: Usage | None, seen: int) -> Usage:
    """Of an answer that did not end. `counted`: at its beginning, as some providers do, or more; `seen`: its output."""
    if counted is None:
        return estimated(exchange, seen)
    missing = seen - counted.total_output
    return counted if missing <= 0 else replace(counted, output=counted.output + missing)


def _guessed(exchange: "Exchange") -> Usage:
    expected = exchange.expected
    if exchange.call.codec.operation is not Operation.CHAT:
        return estimated(exchange)
    return estimated(exchange, _seen(exchange) if expected is None else expected.output)


def _seen(exchange: "Exchange") -> int:
    """Tokens of output in what the client was sent."""
    if exchange.peek is None or not exchange.peek.stream:
        return exchange.bytes_out // BYTES
    return exchange.bytes_out // STREAMED.get(exchange.call.codec.dialect, STREAMED_ELSE)
