"""Exchanges that are over, as the store has them: the latest, or those of a client, a model or a provider."""

from collections.abc import Mapping

from isthmus.core.value import Value
from isthmus.engine.records import By, Records, Used, UsedQuery
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, records_of
from isthmus.server.admin.queries import flag, time, whole
from isthmus.server.admin.times import HOW
from isthmus.server.pages import Page
from isthmus.wire import json

MOST = 1000
"""Exchanges that are told at once."""
NAMES = (By.CLIENT, By.TEAM, By.PROVIDER, By.KEY, By.MODEL, By.OPERATION)
"""By what they are asked for."""


class Exchanges(Value, frozen=True):
    """The latest first. `before` asks for the next ones; None where there are no more."""

    exchanges: tuple[Used, ...]
    before: float | None


async def exchanges(query: UsedQuery, records: Records) -> Exchanges:
    """Raises STORE_GONE."""
    found = tuple(await records.used(query))
    return Exchanges(found, found[-1].at if len(found) == query.limit else None)


async def show(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(await exchanges(_query(call), records_of(desk))))


def _query(call: AdminCall) -> UsedQuery:
    return UsedQuery(
        before=time(call, "before", None),
        only={by: tuple(named) for by in NAMES if (named := call.asked_all(by))},
        failed=flag(call, "failed"),
        limit=whole(call, "limit", 100, least=1, most=MOST),
    )


_WHICH: Mapping[str, str] = {str(by): f"Only those of this {by}; may be given several times." for by in NAMES}

ROWS = (
    Row(
        method="GET",
        path="/admin/exchanges",
        role=Role.VIEWER,
        handler=show,
        about="Exchanges that are over, the latest first.",
        gives=Exchanges,
        query={
            "before": f"Only those that began before: {HOW}.",
            "limit": f"How many at most, up to {MOST}; 100 without it.",
            "failed": "true: only those that were not answered.",
            **_WHICH,
        },
    ),
)
