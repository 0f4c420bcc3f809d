"""When the periods of budgets begin, in UTC, and whose money an exchange spends. Pure arithmetic of Unix seconds."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from isthmus.engine.records import Period

HOUR = 3600
DAY = 86_400
GLOBAL = "global:"
_MONDAY = 4 * DAY
"""The first Monday of Unix time."""


def begin_of(period: Period, at: float) -> int:
    """When the period that `at` is in began; 0 for the one that never ends."""
    return _BEGINNINGS[period](at)


def scopes_of(client: str, team: str) -> tuple[str, ...]:
    """What is spent from when this client, of this team or "", spends."""
    return (f"client:{client}", f"team:{team}", GLOBAL) if team else (f"client:{client}", GLOBAL)


def _month(at: float) -> int:
    moment = datetime.fromtimestamp(at, UTC)
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())


_BEGINNINGS: Mapping[Period, Callable[[float], int]] = {
    Period.DAY: lambda at: int(at // DAY) * DAY,
    Period.WEEK: lambda at: int((at - _MONDAY) // (7 * DAY)) * 7 * DAY + _MONDAY,
    Period.MONTH: _month,
    Period.ALL: lambda _: 0,
}
