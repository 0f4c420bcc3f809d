"""What was said in one exchange, for owners, where it was kept."""

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.bodies import Bodies, BodyShelf
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.pages import Page
from isthmus.wire import json

_NONE = "no bodies of this exchange are kept; log.bodies says whose are, and for how long"


async def bodies(identity: str, shelf: BodyShelf | None) -> Bodies:
    """Raises UNKNOWN_PATH where none are kept, and STORE_GONE."""
    found = None if shelf is None else await shelf.bodies(identity)
    if found is None:
        raise GatewayError(Kind.UNKNOWN_PATH, _NONE)
    return found


async def show(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(await bodies(call.params["id"], desk.bodies)))


ROWS = (
    Row(
        method="GET",
        path="/admin/exchanges/{id}/bodies",
        role=Role.OWNER,
        handler=show,
        about="What was asked and answered in a finished exchange, without secrets and files, where it was kept.",
        gives=Bodies,
        audited=True,
    ),
)
