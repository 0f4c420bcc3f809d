"""Reads single exchanges, and what was spent. Names reach the database as parameters only."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, or_, select

from isthmus.core.periods import Period, began
from isthmus.engine.records import Spent, Used, UsedQuery
from isthmus.store.sums import named
from isthmus.store.tables import NOT_ANSWERED, spent, used

MOST = 10_000
"""Rows in one answer, whatever is asked for."""


def read_used(connection: Connection, query: UsedQuery) -> Sequence[Used]:
    """The rows, the latest first."""
    asked = select(used).where(*(named(used, by).in_(names) for by, names in query.only.items()))
    if query.before is not None:
        asked = asked.where(used.c.at < query.before)
    if query.failed:
        asked = asked.where(NOT_ANSWERED)
    rows = connection.execute(asked.order_by(used.c.at.desc()).limit(max(0, min(query.limit, MOST)))).mappings()
    return tuple(Used(**row) for row in rows)


def read_spent(connection: Connection, now: float) -> Sequence[Spent]:
    """What every scope spent in the periods that `now` is in."""
    current = or_(*(and_(spent.c.period == one.value, spent.c.since == int(began(one, now))) for one in Period))
    rows = connection.execute(select(spent).where(current))
    return tuple(Spent(row.scope, Period(row.period), float(row.since), row.microdollars) for row in rows)
