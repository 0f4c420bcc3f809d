"""Files about exchanges that failed: which there are, and each of them."""

import asyncio

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.logs import Dump, Dumps
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.pages import Page
from isthmus.wire import json


class Listed(Value, frozen=True):
    """The latest first."""

    dumps: tuple[Dump, ...]


def dumps_of(desk: Desk) -> Dumps:
    """Raises UNSUPPORTED where none are written."""
    if desk.dumps is None:
        raise GatewayError(Kind.UNSUPPORTED, "no dumps are written; set log.dumps: true", status=501)
    return desk.dumps


async def show_all(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(Listed(tuple(await asyncio.to_thread(dumps_of(desk).names)))))


async def show(call: AdminCall, desk: Desk) -> Page:
    return Page(200, await asyncio.to_thread(dumps_of(desk).read, call.params["name"]))


ROWS = (
    Row(
        method="GET",
        path="/admin/dumps",
        role=Role.OPERATOR,
        handler=show_all,
        about="The files about requests that failed, the latest first; where log.dumps has them written.",
        gives=Listed,
    ),
    Row(
        method="GET",
        path="/admin/dumps/{name}",
        role=Role.OPERATOR,
        handler=show,
        about="One file about a request that failed.",
        gives=dict[str, object],
    ),
)
