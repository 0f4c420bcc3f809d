"""Sums of use: from days and hours as far as a time is made of whole ones, and from single rows at its edges.

Each part is summed up by itself before the parts are put together, so that the database need not sort what it reads in
order. Names reach it as parameters only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Table,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    union_all,
)

from isthmus.core.periods import DAY, Period, began
from isthmus.engine.records import By, UsageQuery, UsageSum
from isthmus.store.tables import used, used_days, used_hours
from isthmus.store.writing import HOUR, SUMS

MOST = 10_000
"""Sums in one answer, whatever is asked for."""
TIMES: Mapping[By, int] = {By.HOUR: HOUR, By.DAY: DAY, By.MONTH: 0}
"""What sums can be told apart by, of time, the shortest first. Seconds, where it is a number of them."""
Shown: TypeAlias = ColumnElement[Any]


class Groups(NamedTuple):
    """By what is summed up: a time or none, and names. `only` are the names that count; `dialect` the database's."""

    time: By | None
    names: tuple[By, ...]
    only: Mapping[By, tuple[str, ...]]
    dialect: str


def read_usage(connection: Connection, query: UsageQuery, kept_since: float) -> Sequence[UsageSum]:
    """The sums. What is older than `kept_since` has no rows any more, so its times are widened to whole hours."""
    groups = Groups(
        time=next((one for one in TIMES if one in query.by), None),
        names=tuple(one for one in query.by if one not in TIMES),
        only=query.only,
        dialect=connection.dialect.name,
    )
    parts = union_all(*_parts(query, groups, kept_since)).subquery()
    shown = [parts.c[label] for label in _labels(groups)]
    sums = [func.sum(parts.c[name]).label(name) for name in SUMS]
    order = [*(shown[:1] if groups.time else []), func.sum(parts.c.microdollars).desc(), *shown]
    asked = select(*shown, *sums).group_by(*shown).order_by(*order).limit(max(0, min(query.limit, MOST)))
    return tuple(_sum(row, groups) for row in connection.execute(asked).mappings() if row["requests"])


def _parts(query: UsageQuery, groups: Groups, kept_since: float) -> Iterator[Select[Any]]:
    """Sums that make up the whole time. One part at least."""
    since = query.since if query.since >= kept_since else _down(query.since, HOUR)
    until = query.until if query.until >= kept_since else _up(query.until, HOUR)
    first, last = _up(since, HOUR), _down(until, HOUR)
    if first > last:
        yield _rows(since, until, groups)
        return
    yield from _whole(first, last, groups)
    for begin, end in ((since, first), (last, until)):
        if begin < end:
            yield _rows(begin, end, groups)


def _whole(since: int, until: int, groups: Groups) -> Iterator[Select[Any]]:
    """Whole hours, as days where they can be."""
    first, last = _up(since, DAY), _down(until, DAY)
    if groups.time is By.HOUR or first >= last:
        yield _summed(used_hours, since, until, groups)
        return
    yield _summed(used_days, first, last, groups)
    for begin, end in ((since, first), (last, until)):
        if begin < end:
            yield _summed(used_hours, begin, end, groups)


def _summed(table: Table, since: int, until: int, groups: Groups) -> Select[Any]:
    """Rows that are sums already; the first column of such a table is when they begin."""
    begins = next(iter(table.c))
    told = [*([_time(begins, groups)] if groups.time else []), *_names(table, groups)]
    shown = [one.label(label) for one, label in zip(told, _labels(groups), strict=True)]
    sums = [func.sum(table.c[name]).label(name) for name in SUMS]
    asked = select(*shown, *sums).where(begins >= since, begins < until, *_only(table, groups))
    return asked.group_by(*told)


def _rows(since: float, until: float, groups: Groups) -> Select[Any]:
    """Single rows, all of one hour."""
    told = _names(used, groups)
    at = [] if groups.time is None else [literal(_begin(groups.time, since), BigInteger)]
    shown = [one.label(label) for one, label in zip([*at, *told], _labels(groups), strict=True)]
    sums = [func.sum(_COUNTED.get(name, used.c.get(name))).label(name) for name in SUMS]
    asked = select(*shown, *sums).where(used.c.at >= since, used.c.at < until, *_only(used, groups))
    return asked.group_by(*told)


_COUNTED: Mapping[str, Shown] = {
    "requests": literal(1),
    "failed": case((used.c.outcome == "failed", 1), else_=0),
    "cancelled": case((used.c.outcome == "cancelled", 1), else_=0),
    "unpriced": case((used.c.microdollars.is_(None), 1), else_=0),
    "first_count": case((used.c.first_ms.is_(None), 0), else_=1),
}
"""What a row adds to a sum that is none of its columns."""


def _labels(groups: Groups) -> list[str]:
    return [*(["at"] if groups.time else []), *(f"by_{one}" for one in groups.names)]


def _names(table: Table, groups: Groups) -> list[Shown]:
    return [named(table, one) for one in groups.names]


def named(table: FromClause, by: By) -> Shown:
    """What a row is told apart by: a column, or for upstream keys "PROVIDER/KEY"."""
    if by is By.KEY:
        return table.c.provider + "/" + table.c.key
    return table.c[by.value]


def _only(table: Table, groups: Groups) -> list[Shown]:
    return [named(table, by).in_(names) for by, names in groups.only.items()]


def _time(begins: Shown, groups: Groups) -> Shown:
    """When the hour, day or month began that a sum belongs to."""
    if groups.time is By.HOUR:
        return begins
    if groups.time is By.DAY:
        return begins - begins % DAY
    if groups.dialect == "sqlite":
        return cast(func.strftime("%s", begins, "unixepoch", "start of month"), Integer)
    moment = func.timezone("UTC", func.to_timestamp(begins))
    return cast(extract("epoch", func.date_trunc("month", moment)), BigInteger)


def _begin(time: By, at: float) -> int:
    return int(began(Period.MONTH, at)) if time is By.MONTH else _down(at, TIMES[time])


def _down(at: float, seconds: int) -> int:
    return int(at // seconds) * seconds


def _up(at: float, seconds: int) -> int:
    return -int(-at // seconds) * seconds


def _sum(row: Mapping[Any, Any], groups: Groups) -> UsageSum:
    group = {by: row[f"by_{by}"] for by in groups.names}
    whole = {name: int(row[name] or 0) for name in SUMS if name not in ("ms", "first_ms")}
    return UsageSum(
        group=group,
        at=float(row["at"]) if groups.time else None,
        ms=float(row["ms"]),
        first_ms=float(row["first_ms"] or 0),
        **whole,
    )
