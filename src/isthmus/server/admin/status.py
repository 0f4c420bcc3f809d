"""How the gateway is: its version, since when it runs, and what its parts say of themselves."""

from isthmus import __version__
from isthmus.core.value import Value
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.times import moment
from isthmus.server.pages import Page
from isthmus.wire import json


class Status(Value, frozen=True):
    """`seconds` is how long it has run, `configuration` the version in force, `role` the caller's.

    `store` and `parts` are for people; `store` is None where there is none.
    """

    version: str
    since: str
    seconds: float
    configuration: int
    source: str
    store: str | None
    role: str
    parts: dict[str, object]


def status(call: AdminCall, desk: Desk) -> Status:
    now = desk.live.take()
    return Status(
        version=__version__,
        since=moment(desk.began, call),
        seconds=round(call.at - desk.began, 1),
        configuration=now.version,
        source=now.snapshot.source,
        store=None if desk.records is None else desk.records.state,
        role=call.actor.role.name.lower(),
        parts=dict(desk.health()),
    )


async def show(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(status(call, desk)))


ROWS = (
    Row(
        method="GET",
        path="/admin/status",
        role=Role.VIEWER,
        handler=show,
        about="The gateway's version, how long it has run, and what its parts say of themselves.",
        gives=Status,
    ),
)
