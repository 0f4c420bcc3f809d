"""Whose limits and budgets a request is held to: scopes, which are a kind and a name, as in "client:alice"."""

from collections.abc import Iterable, Mapping

from isthmus.core.periods import DAY
from isthmus.engine.records import Used

GATEWAY = "global:"
"""The scope of all that is asked."""


def spent_by_day(rows: Iterable[Used]) -> Mapping[tuple[str, str, int], int]:
    """Microdollars by client, team, and when the day began; every period is made of whole days."""
    days: dict[tuple[str, str, int], int] = {}
    for row in rows:
        if row.microdollars:
            key = row.client, row.team, int(row.at // DAY) * DAY
            days[key] = days.get(key, 0) + row.microdollars
    return days


def scopes_of(client: str, team: str) -> tuple[str, ...]:
    """Whose budgets are spent when this client, of this team or "", spends."""
    return (f"client:{client}", f"team:{team}", GATEWAY) if team else (f"client:{client}", GATEWAY)
