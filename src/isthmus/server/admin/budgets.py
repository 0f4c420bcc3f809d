"""What clients, teams and the whole gateway may spend, what they have spent, and when a budget renews."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period, began, renews
from isthmus.core.value import Value
from isthmus.engine.budgets import budgets_of
from isthmus.engine.ports import Limiter
from isthmus.engine.records import Records
from isthmus.routing.limits import NEVER, Limit
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.admin.times import as_date
from isthmus.server.pages import Page
from isthmus.wire import json

Stored: TypeAlias = Mapping[tuple[str, Period, float], int]
"""What the store says was spent: by scope, period, and when that began."""


class Budget(Value, frozen=True, kw_only=True):
    """Of `scope`: "client:NAME", "team:NAME", or "global:". Dollars are exact to a millionth, times in UTC.

    `spent` is what the store has, None while it cannot be reached or is off. `reserved` is what requests under way may
    come to, with what is on its way to the store. `left` may be below nothing, by as much as estimates were short.
    `renews` is None for a budget that never does.
    """

    scope: str
    period: str
    limit: str
    spent: str | None
    reserved: str | None
    left: str
    began: str
    renews: str | None


class Budgets(Value, frozen=True):
    """By scope. `more`: those behind the last one's scope are asked for by `after`."""

    budgets: tuple[Budget, ...]
    more: bool


def budget_of(limit: Limit, period: Period, limiter: Limiter | None, stored: Stored | None, now: float) -> Budget:
    """How a budget stands at Unix time `now`."""
    counted = 0 if limiter is None else round(limiter.share(limit) * limit.most)
    since, renewal = began(period, now), renews(period, now)
    spent = None if stored is None else stored.get((limit.scope, period, since), 0)
    return Budget(
        scope=limit.scope,
        period=period,
        limit=dollars(limit.most),
        spent=None if spent is None else dollars(spent),
        reserved=None if spent is None else dollars(max(0, counted - spent)),
        left=dollars(limit.most - max(counted, spent or 0)),
        began=as_date(since),
        renews=None if renewal == NEVER else as_date(renewal),
    )


def dollars(microdollars: int) -> str:
    """Exactly, with six places."""
    whole, rest = divmod(abs(microdollars), 1_000_000)
    return f"{'-' * (microdollars < 0)}{whole}.{rest:06d}"


async def stored(records: Records | None, now: float) -> Stored | None:
    """What the store says was spent; None where it cannot."""
    if records is None:
        return None
    try:
        return {(one.scope, one.period, one.since): one.microdollars for one in await records.spent(now)}
    except GatewayError as error:
        if error.kind is not Kind.STORE_GONE:
            raise
        return None


async def show(call: AdminCall, desk: Desk) -> Page:
    limits = budgets_of(desk.live.take().snapshot.allowances)
    found, more = piece(call, sorted(one for one in limits if one.startswith(call.asked("scope"))), str)
    spent = await stored(desk.records, call.time) if found else None
    limiter = desk.ports.limiter
    told: Sequence[Budget] = [
        budget_of(limit, period, limiter, spent, call.time) for scope in found for limit, period in limits[scope]
    ]
    return Page(200, json.encode(Budgets(tuple(told), more)))


ROWS = (
    Row(
        method="GET",
        path="/admin/budgets",
        role=Role.VIEWER,
        handler=show,
        about="Every budget: its limit, what was spent and reserved of it, and when it renews.",
        gives=Budgets,
        query={"scope": "Only scopes that begin so, such as client: or team:sales.", **QUERY},
    ),
)
