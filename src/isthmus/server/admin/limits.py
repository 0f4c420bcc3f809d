"""How much may be asked of or by whom, and how much of it is used at present."""

from collections.abc import Sequence

from isthmus.core.value import Value
from isthmus.engine.admission import told
from isthmus.engine.live import Now
from isthmus.engine.ports import Limiter
from isthmus.routing.limits import Limit
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.pages import Page
from isthmus.wire import json


class Bound(Value, frozen=True, kw_only=True):
    """At most `most` of `measure` in `seconds`, or in the `period` of the calendar, of or by `scope`.

    `scope` is "provider:NAME", "key:PROVIDER/KEY", "client:NAME", "team:NAME", "global:" or "route:NAME". `share` is
    how much of it is used: 1 is all. `words` say the limit to people.
    """

    scope: str
    measure: str
    most: int
    seconds: int | None
    period: str | None
    share: float
    words: str


class Bounds(Value, frozen=True):
    """By scope. `more`: those behind the last one's scope are asked for by `after`."""

    limits: tuple[Bound, ...]
    more: bool


def bounds_of(limits: Sequence[Limit], limiter: Limiter | None) -> tuple[Bound, ...]:
    """The limits, as they are told."""
    return tuple(
        Bound(
            scope=one.scope,
            measure=one.measure,
            most=one.most,
            seconds=one.span or None,
            period=one.period,
            share=0.0 if limiter is None else round(limiter.share(one), 4),
            words=told(one),
        )
        for one in limits
    )


def scopes(now: Now, beginning: str = "") -> Sequence[str]:
    """All that have limits, in the order of their names."""
    return sorted(scope for scope in now.snapshot.allowances if scope.startswith(beginning))


async def show(call: AdminCall, desk: Desk) -> Page:
    now = desk.live.take()
    found, more = piece(call, scopes(now, call.asked("scope")), str)
    limits = [limit for scope in found for limit in now.snapshot.allowances[scope]]
    return Page(200, json.encode(Bounds(bounds_of(limits, desk.ports.limiter), more)))


ROWS = (
    Row(
        method="GET",
        path="/admin/limits",
        role=Role.VIEWER,
        handler=show,
        about="Every limit, and how much of it is used at present.",
        gives=Bounds,
        query={"scope": "Only scopes that begin so, such as client: or key:openai/.", **QUERY},
    ),
)
