"""Reads single exchanges, and what was spent. Names reach the database as parameters only.

There may be millions of exchanges, and none that is asked for: so where no index leads to them, the latest are looked
through, and then only the hours whose sums say that there are some.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Select, and_, or_, select, true

from isthmus.core.periods import Period, began
from isthmus.engine.records import By, Spent, Used, UsedQuery
from isthmus.store.address import POSTGRESQL
from isthmus.store.sums import named
from isthmus.store.tables import NOT_ANSWERED, spent, used, used_hours
from isthmus.store.writing import HOUR

MOST = 10_000
"""Rows in one answer, whatever is asked for."""
LATEST = 20_000
"""Rows that are looked through before the hours are asked."""
INDEXED: Mapping[str, tuple[By, ...]] = {POSTGRESQL: (By.CLIENT, By.MODEL)}
"""What an index leads to, by the kind of database."""


def read_used(connection: Connection, query: UsedQuery, kept_since: float) -> Sequence[Used]:
    """The rows, the latest first. There are none before `kept_since`."""
    limit = max(0, min(query.limit, MOST))
    if query.failed or not query.only or _has_index(connection, query):
        return _read(connection, _matching(used, query), limit)
    latest = select(used).where(_earlier(used, query)).order_by(used.c.at.desc()).limit(LATEST).subquery()
    found = _read(connection, select(latest).where(_only(latest, query)).order_by(latest.c.at.desc()), limit)
    return found if len(found) == limit else tuple(_by_hours(connection, query, limit, kept_since))


def read_spent(connection: Connection, now: float) -> Sequence[Spent]:
    """What every scope spent in the periods that `now` is in."""
    current = or_(*(and_(spent.c.period == one.value, spent.c.since == int(began(one, now))) for one in Period))
    rows = connection.execute(select(spent).where(current))
    return tuple(Spent(row.scope, Period(row.period), float(row.since), row.microdollars) for row in rows)


def _has_index(connection: Connection, query: UsedQuery) -> bool:
    """Is it about one client, or one model, and nothing else, and does an index lead to that?"""
    indexed = INDEXED.get(connection.dialect.name, ())
    return len(query.only) == 1 and all(by in indexed and len(names) == 1 for by, names in query.only.items())


def _by_hours(connection: Connection, query: UsedQuery, limit: int, kept_since: float) -> Iterator[Used]:
    """From each hour that has any, the latest first, until there are enough."""
    begins = used_hours.c.hour
    asked = (
        select(begins)
        .where(_only(used_hours, query), begins > kept_since - HOUR)
        .group_by(begins)
        .order_by(begins.desc())
    )
    if query.before is not None:
        asked = asked.where(begins < query.before)
    for hour in connection.execute(asked.group_by(begins).order_by(begins.desc())).scalars().all():
        if limit <= 0:
            return
        one = _matching(used, query).where(used.c.at >= hour, used.c.at < hour + HOUR)
        found = _read(connection, one, limit)
        limit -= len(found)
        yield from found


def _matching(table: FromClause, query: UsedQuery) -> Select[Any]:
    failed = NOT_ANSWERED if query.failed else true()
    return select(table).where(_only(table, query), _earlier(table, query), failed).order_by(table.c.at.desc())


def _only(table: FromClause, query: UsedQuery) -> Any:
    return and_(true(), *(named(table, by).in_(names) for by, names in query.only.items()))


def _earlier(table: FromClause, query: UsedQuery) -> Any:
    return true() if query.before is None else table.c.at < query.before


def _read(connection: Connection, asked: Select[Any], limit: int) -> Sequence[Used]:
    return tuple(Used(**row) for row in connection.execute(asked.limit(limit)).mappings())
