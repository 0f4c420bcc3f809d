"""Reads use: sums from the hours, and from rows only where a time is no whole hour; single rows; what was spent.

Names reach the database as parameters only.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
)

from isthmus.core.periods import DAY, Period, began
from isthmus.engine.records import By, Spent, UsageQuery, UsageSum, Used, UsedQuery
from isthmus.store.tables import NOT_ANSWERED, spent, used, used_hours
from isthmus.store.writing import HOUR, LABELS, SUMS

MOST = 10_000
"""Sums or rows in one answer, whatever is asked for."""
TIMES: Mapping[By, int] = {By.HOUR: HOUR, By.DAY: DAY, By.MONTH: 0}
"""What sums can be told apart by, of time; the shortest holds. Seconds, where it is a number of them."""
Shown: TypeAlias = ColumnElement[Any]


def read_usage(connection: Connection, query: UsageQuery, kept_since: float) -> Sequence[UsageSum]:
    """The sums. What is older than `kept_since` has no rows any more, so its times are widened to whole hours."""
    source = _source(query, kept_since)
    names = tuple(by for by in query.by if by not in TIMES)
    shown = [_named(source, by).label(f"by_{by}") for by in names]
    at = _time(connection, source, query.by)
    sums = [func.sum(source.c[name]).label(name) for name in SUMS]
    groups = [*([at.label("at")] if at is not None else []), *shown]
    asked: Select[Any] = select(*groups, *sums).where(_only(source, query.only)).group_by(*groups)
    order = [*([groups[0]] if at is not None else []), func.sum(source.c.microdollars).desc(), *shown]
    found = connection.execute(asked.order_by(*order).limit(_bounded(query.limit))).mappings()
    return tuple(_sum(row, names, timed=at is not None) for row in found if row["requests"])


def read_used(connection: Connection, query: UsedQuery) -> Sequence[Used]:
    """The rows, the latest first."""
    asked = select(used).where(_only(used, query.only))
    if query.before is not None:
        asked = asked.where(used.c.at < query.before)
    if query.failed:
        asked = asked.where(NOT_ANSWERED)
    rows = connection.execute(asked.order_by(used.c.at.desc()).limit(_bounded(query.limit))).mappings()
    return tuple(Used(**row) for row in rows)


def read_spent(connection: Connection, now: float) -> Sequence[Spent]:
    """What every scope spent in the periods that `now` is in."""
    current = or_(*(and_(spent.c.period == one.value, spent.c.since == int(began(one, now))) for one in Period))
    rows = connection.execute(select(spent).where(current))
    return tuple(Spent(row.scope, Period(row.period), float(row.since), row.microdollars) for row in rows)


def _source(query: UsageQuery, kept_since: float) -> FromClause:
    """What is summed up: whole hours, and the rows beside them."""
    since = query.since if query.since >= kept_since else _hour(query.since)
    until = query.until if query.until >= kept_since else _hour_after(query.until)
    first, last = _hour_after(since), _hour(until)
    if first > last:
        return _rows(since, until).subquery()
    whole = select(used_hours).where(used_hours.c.hour >= first, used_hours.c.hour < last)
    edges = [_rows(*edge) for edge in ((since, first), (last, until)) if edge[0] < edge[1]]
    return union_all(whole, *edges).subquery() if edges else whole.subquery()


def _hour(at: float) -> int:
    return int(at // HOUR) * HOUR


def _hour_after(at: float) -> int:
    return -int(-at // HOUR) * HOUR


def _rows(since: float, until: float) -> Select[Any]:
    """Single rows of one hour, in the shape of hours."""
    counted: Mapping[str, Shown] = {
        "hour": literal(_hour(since)),
        "requests": literal(1),
        "failed": case((used.c.outcome == "failed", 1), else_=0),
        "cancelled": case((used.c.outcome == "cancelled", 1), else_=0),
        "microdollars": func.coalesce(used.c.microdollars, 0),
        "unpriced": case((used.c.microdollars.is_(None), 1), else_=0),
        "first_ms": func.coalesce(used.c.first_ms, 0.0),
        "first_count": case((used.c.first_ms.is_(None), 0), else_=1),
    }
    columns = [(counted[name] if name in counted else used.c[name]).label(name) for name in (*LABELS, *SUMS)]
    return select(*columns).where(used.c.at >= since, used.c.at < until)


def _named(source: FromClause, by: By) -> Shown:
    """What a row is told apart by: a column, or for upstream keys "PROVIDER/KEY"."""
    if by is By.KEY:
        return source.c.provider + "/" + source.c.key
    return source.c[by.value]


def _only(source: FromClause, only: Mapping[By, tuple[str, ...]]) -> Shown:
    return and_(literal(1) == 1, *(_named(source, by).in_(names) for by, names in only.items()))


def _time(connection: Connection, source: FromClause, by: Sequence[By]) -> Shown | None:
    """When the hour, day or month of an hour began; None where sums are over all time."""
    shortest = next((one for one in TIMES if one in by), None)
    if shortest is None:
        return None
    if shortest is not By.MONTH:
        return source.c.hour - source.c.hour % TIMES[shortest]
    if connection.dialect.name == "sqlite":
        return cast(func.strftime("%s", source.c.hour, "unixepoch", "start of month"), Integer)
    moment = func.timezone("UTC", func.to_timestamp(source.c.hour))
    return cast(extract("epoch", func.date_trunc("month", moment)), BigInteger)


def _bounded(limit: int) -> int:
    return max(0, min(limit, MOST))


def _sum(row: Mapping[Any, Any], names: Sequence[By], *, timed: bool) -> UsageSum:
    group = {by: row[f"by_{by}"] for by in names}
    at = float(row["at"]) if timed else None
    whole = {name: int(row[name]) for name in SUMS if name not in ("ms", "first_ms")}
    return UsageSum(group=group, at=at, ms=float(row["ms"]), first_ms=float(row["first_ms"]), **whole)
