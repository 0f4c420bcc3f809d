"""What became of single exchanges that are over, by their ids: what they lost, and what was decided for them."""

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Loss
from isthmus.core.value import Value
from isthmus.engine.past import PastExplained, told_past
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.pages import Page
from isthmus.wire import json

_NO_LOSSES = "no exchange of this id is remembered; its losses, if it had any, are in the log"
_NOTHING = "no exchange of this id is remembered; what is left of it is in the log"


class Lost(Value, frozen=True):
    """`more` is how many further losses are only counted."""

    id: str
    losses: tuple[Loss, ...]
    more: int


async def losses(call: AdminCall, desk: Desk) -> Page:
    identity = call.params["id"]
    ledger = desk.recent.losses(identity)
    if ledger is None:
        raise GatewayError(Kind.UNKNOWN_PATH, _NO_LOSSES)
    return Page(200, json.encode(Lost(identity, tuple(ledger.found), ledger.more)))


async def explain(call: AdminCall, desk: Desk) -> Page:
    past = desk.recent.past(call.params["id"])
    if past is None:
        raise GatewayError(Kind.UNKNOWN_PATH, _NOTHING)
    return Page(200, json.encode(told_past(past, desk.live.take())))


ROWS = (
    Row(
        method="GET",
        path="/admin/losses/{id}",
        role=Role.VIEWER,
        handler=losses,
        about="What a finished exchange lost in translation.",
        gives=Lost,
    ),
    Row(
        method="GET",
        path="/admin/explain/{id}",
        role=Role.VIEWER,
        handler=explain,
        about="What was decided for a finished exchange, and what came of it.",
        gives=PastExplained,
    ),
)
