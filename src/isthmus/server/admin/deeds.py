"""What administrators did, or were refused, as it is kept."""

from collections.abc import Sequence

from isthmus.core.value import Value
from isthmus.engine.records import Deed, Records
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, records_of
from isthmus.server.admin.queries import time, whole
from isthmus.server.admin.times import HOW, as_date
from isthmus.server.pages import Page
from isthmus.wire import json

MOST = 1000


class Told(Value, frozen=True, kw_only=True):
    """`what` is the row, `on` what it was done to; `outcome` is "done", or the kind of error, and `detail` why."""

    at: str
    time: float
    who: str
    role: str
    peer: str
    what: str
    on: str
    outcome: str
    detail: str


class Deeds(Value, frozen=True):
    """The latest first. Those before the last one are asked for by its `time`."""

    deeds: tuple[Told, ...]
    more: bool


async def deeds(records: Records, before: float | None, limit: int) -> tuple[Sequence[Deed], bool]:
    """Those, and whether there are more. Raises STORE_GONE."""
    found = await records.deeds(before=before, limit=limit + 1)
    return found[:limit], len(found) > limit


async def show(call: AdminCall, desk: Desk) -> Page:
    before, limit = time(call, "before", None), whole(call, "limit", 100, least=1, most=MOST)
    found, more = await deeds(records_of(desk), before, limit)
    return Page(200, json.encode(Deeds(tuple(_told(one) for one in found), more)))


def _told(deed: Deed) -> Told:
    return Told(
        at=as_date(deed.at),
        time=deed.at,
        who=deed.who,
        role=deed.role,
        peer=deed.peer,
        what=deed.what,
        on=deed.on,
        outcome=deed.outcome,
        detail=deed.detail,
    )


ROWS = (
    Row(
        method="GET",
        path="/admin/audit",
        role=Role.OWNER,
        handler=show,
        about="What administrators did or were refused, the latest first.",
        gives=Deeds,
        query={
            "before": f"Only what was done before: {HOW}.",
            "limit": f"At most so many, from 1 to {MOST}. Without it: 100.",
        },
    ),
)
