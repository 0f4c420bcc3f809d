"""How much the log tells."""

from isthmus.core.value import Value
from isthmus.engine.logs import Logs
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, logs_of
from isthmus.server.admin.readers import reader
from isthmus.server.pages import Page
from isthmus.wire import json


class Level(Value, frozen=True, forbid_unknown_fields=True):
    """`level` is the least important lines that are written: debug, info, warning or error."""

    level: str


_level = reader(Level)


def set_level(level: str, logs: Logs) -> str:
    """The level from now on, until the gateway starts again. Raises INVALID for what is none."""
    logs.level = level
    return logs.level


async def show(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(Level(logs_of(desk).level)))


async def change(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(Level(set_level(_level(call.body).level, logs_of(desk)))))


ROWS = (
    Row(
        method="GET",
        path="/admin/debug",
        role=Role.VIEWER,
        handler=show,
        about="How much the log tells.",
        gives=Level,
    ),
    Row(
        method="PUT",
        path="/admin/debug",
        role=Role.OPERATOR,
        handler=change,
        about="Have the log tell more or less, until the gateway starts again.",
        takes=Level,
        gives=Level,
        audited=True,
    ),
)
