"""Who rests after a failure, and the end of rests."""

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.live import Now
from isthmus.routing.health import Place, Resting
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.times import moment
from isthmus.server.pages import Page
from isthmus.wire import json

_UNNAMED = "a rest is named PROVIDER, PROVIDER/KEY or PROVIDER/KEY/MODEL, as GET /admin/rests lists"


class Rest(Value, frozen=True):
    """`model` is empty for an account, `key` too for a whole provider. `seconds` is how long it lasts from now on."""

    provider: str
    key: str
    model: str
    kind: str
    cause: str
    since: str
    until: str
    seconds: float
    next_trial: str
    failures: int
    told_by_provider: bool


class Rests(Value, frozen=True):
    rests: tuple[Rest, ...]


class Ended(Value, frozen=True):
    ended: int


def rests(call: AdminCall, now: Now) -> tuple[Rest, ...]:
    """Who rests, since when, how long, and why; by place."""
    found = sorted(now.board.health.resting(call.at), key=lambda one: one.place)
    return tuple(_told(one, call) for one in found)


def end_rests(place: str, now: Now) -> int:
    """How many ended: of PROVIDER/KEY/MODEL, of PROVIDER/KEY and its models, of PROVIDER, or of everybody ("").

    Raises INVALID for a place that nobody has.
    """
    provider, _, rest = place.partition("/")
    key, _, model = rest.partition("/")
    if place and (provider not in now.snapshot.providers or (model and not key)):
        raise GatewayError(Kind.INVALID, _UNNAMED)
    return now.board.health.clear(Place(provider, key, model) if place else None)


def _told(one: Resting, call: AdminCall) -> Rest:
    return Rest(
        provider=one.place.provider,
        key=one.place.credential,
        model=one.place.model,
        kind=one.kind,
        cause=one.cause,
        since=moment(one.since, call),
        until=moment(one.until, call),
        seconds=round(one.until - call.at, 1),
        next_trial=moment(one.until if one.tried_at is None else min(one.until, one.tried_at), call),
        failures=one.failures,
        told_by_provider=one.hinted,
    )


async def list_rests(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(Rests(rests(call, desk.live.take()))))


async def wake(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(Ended(end_rests(call.params.get("place", ""), desk.live.take()))))


ROWS = (
    Row(
        method="GET",
        path="/admin/rests",
        role=Role.VIEWER,
        handler=list_rests,
        about="Who rests after a failure, how long, and why.",
        gives=Rests,
    ),
    Row(
        method="DELETE",
        path="/admin/rests",
        role=Role.OPERATOR,
        handler=wake,
        about="End all rests.",
        gives=Ended,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/admin/rests/{place...}",
        role=Role.OPERATOR,
        handler=wake,
        about="End the rests of PROVIDER, of PROVIDER/KEY and its models, or of PROVIDER/KEY/MODEL.",
        gives=Ended,
        audited=True,
    ),
)
