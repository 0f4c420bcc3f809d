"""From how much somebody may ask to the limits that requests are held to: one table, for the file and for the store."""

from collections.abc import Iterator
from types import MappingProxyType

from isthmus.core.value import Value
from isthmus.engine.records import Allowance
from isthmus.routing.limits import Limit, Measure

MINUTE, DAY = 60, 86_400
MINUTE_PARTS = 12
"""Parts of the window of a minute, which slides; that of a day begins anew at midnight UTC."""


class _Window(Value, frozen=True):
    """What one field of an Allowance limits."""

    measure: Measure
    span: int
    parts: int = 1


_WINDOWS = MappingProxyType(
    {
        "requests_per_minute": _Window(Measure.REQUESTS, MINUTE, MINUTE_PARTS),
        "tokens_per_minute": _Window(Measure.TOKENS, MINUTE, MINUTE_PARTS),
        "requests_per_day": _Window(Measure.REQUESTS, DAY),
        "tokens_per_day": _Window(Measure.TOKENS, DAY),
    }
)


def limits_of(scope: str, allowance: Allowance) -> tuple[Limit, ...]:
    """The limits of a scope, such as "client:NAME"; none for what is not said."""
    return tuple(_limits(scope, allowance))


def _limits(scope: str, allowance: Allowance) -> Iterator[Limit]:
    for field, window in _WINDOWS.items():
        if (most := getattr(allowance, field)) is not None:
            yield Limit(scope, window.measure, most, window.span, window.parts)
    for period, most in allowance.budgets.items():
        yield Limit(scope, Measure.MICRODOLLARS, most, period=period)
    if allowance.concurrency is not None:
        yield Limit(scope, Measure.RUNNING, allowance.concurrency)
