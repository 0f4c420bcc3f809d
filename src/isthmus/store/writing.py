"""Writes rows of use, and in the same transaction all that they add up to: hours, and what was spent."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, product
from operator import add
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import astuple
from sqlalchemy import Connection, Dialect, Insert, insert, select

from isthmus.core.periods import DAY, Period, began
from isthmus.engine.records import Used
from isthmus.engine.scopes import scopes_of
from isthmus.store.database import execute_many
from isthmus.store.tables import spent, used, used_days, used_hours
from isthmus.store.upsert import upsert

HOUR = 3600
"""Seconds."""
WIDTHS = (250, 25, 1) if sqlite3.sqlite_version_info >= (3, 32) else (25, 1)
"""Rows in one statement of SQLite, whose driver lets go of the interpreter at each statement and waits to have it back:
one row in each cost some 20 us of a busy core. Builds before 3.32 take 999 values at once, later ones 32,766."""
LABELS = ("client", "team", "provider", "key", "model", "operation")
TOKENS = ("fresh_input", "cache_read", "cache_write", "output", "reasoning")
SUMS = ("requests", "failed", "cancelled", *TOKENS, "microdollars", "unpriced", "ms", "first_ms", "first_count")
COST = SUMS.index("microdollars")

Widths: TypeAlias = Sequence[tuple[int, str]]
"""Statements that put in so many rows, the widest first; the last one takes a single one."""
Plain: TypeAlias = tuple[Any, ...]
"""A row as the database takes it."""
Labels: TypeAlias = tuple[Any, ...]
"""When it began, and LABELS."""
Sums: TypeAlias = Mapping[Labels, tuple[float, ...]]


def write_rows(connection: Connection, rows: Sequence[Used], *, doubtful: bool = False) -> int:
    """Write each row, once; how many were new. `doubtful`: some may have been written before."""
    if doubtful:
        rows = _new(connection, rows)
    if not rows:
        return 0
    plain = list(map(astuple, rows))
    hours = _hours(plain)
    into = _statements(connection.dialect)
    _insert(connection, into.rows, plain)
    execute_many(connection, into.hours, _told(hours))
    execute_many(connection, into.days, _told(_days(hours)))
    if costs := _costs(hours):
        execute_many(connection, into.spent, costs)
    return len(rows)


def _insert(connection: Connection, statements: Widths, rows: Sequence[Plain]) -> None:
    """As many rows at once as a statement takes, the widest first."""
    at = 0
    for width, statement in statements:
        end = len(rows) - (len(rows) - at) % width
        if end > at:
            many = [tuple(chain.from_iterable(rows[start : start + width])) for start in range(at, end, width)]
            execute_many(connection, statement, many)
        at = end


class _Statements(NamedTuple):
    """For plain tuples, in the order of the tables: past all that SQLAlchemy does for each row."""

    rows: Widths
    hours: str
    days: str
    spent: str


@lru_cache(maxsize=4)
def _statements(dialect: Dialect) -> _Statements:
    row = _text(insert(used), dialect)
    head, values, group = row.rpartition(" VALUES ")
    widths = WIDTHS if dialect.name == "sqlite" else (1,)
    sums = (
        upsert(dialect, used_hours, add=SUMS),
        upsert(dialect, used_days, add=SUMS),
        upsert(dialect, spent, add=("microdollars",)),
    )
    rows = tuple((width, f"{head}{values}{', '.join([group] * width)}") for width in widths)
    return _Statements(rows, *(_text(one, dialect) for one in sums))


def _text(statement: Insert, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))


def _new(connection: Connection, rows: Sequence[Used]) -> Sequence[Used]:
    """Those that are not there yet, each once."""
    once = {row.id: row for row in rows}
    times = [row.at for row in rows]
    among = used.c.at.between(min(times), max(times)), used.c.id.in_(once)
    known = connection.execute(select(used.c.id).where(*among)).scalars()
    for identity in known:
        del once[identity]
    return tuple(once.values())


def _hours(rows: Sequence[Plain]) -> Sums:
    """What is added to each hour. Column by column: a batch holds many rows, and few kinds of them."""
    columns = _columns(rows)
    hours = [int(at // HOUR) * HOUR for at in columns["at"]]
    groups: dict[Labels, list[Plain]] = {}
    for labels, row in zip(zip(hours, *(columns[name] for name in LABELS), strict=True), rows, strict=True):
        groups.setdefault(labels, []).append(row)
    return {labels: _summed(_columns(group)) for labels, group in groups.items()}


def _columns(rows: Sequence[Plain]) -> Mapping[str, tuple[Any, ...]]:
    return dict(zip(Used.__struct_fields__, zip(*rows, strict=True), strict=True))


def _summed(columns: Mapping[str, tuple[Any, ...]]) -> tuple[float, ...]:
    """What rows add, in the order of SUMS."""
    outcomes, costs, first = columns["outcome"], columns["microdollars"], columns["first_ms"]
    return (
        len(outcomes),
        outcomes.count("failed"),
        outcomes.count("cancelled"),
        *(sum(columns[name]) for name in TOKENS),
        sum(filter(None, costs)),
        costs.count(None),
        sum(columns["ms"]),
        sum(filter(None, first)),
        len(first) - first.count(None),
    )


def _days(hours: Sums) -> Sums:
    """What is added to each day."""
    days: dict[Labels, tuple[float, ...]] = {}
    for (hour, *names), sums in hours.items():
        labels = (hour // DAY * DAY, *names)
        known = days.get(labels)
        days[labels] = sums if known is None else tuple(map(add, known, sums))
    return days


def _told(sums: Sums) -> list[Plain]:
    """Always in the same order, so that two writers never wait for each other in turn."""
    return [(*labels, *sums[labels]) for labels in sorted(sums)]


def _costs(hours: Sums) -> list[Plain]:
    """What is added to each scope and period, in order as `_told`."""
    sums: dict[tuple[str, str, int], int] = {}
    for (hour, client, team, *_), summed in hours.items():
        if not summed[COST]:
            continue
        for scope, (period, since) in product(scopes_of(client, team), _periods(hour // DAY * DAY)):
            cost = scope, period, since
            sums[cost] = sums.get(cost, 0) + int(summed[COST])
    return [(*scope, sums[scope]) for scope in sorted(sums)]


@lru_cache(maxsize=64)
def _periods(day: int) -> Sequence[tuple[str, int]]:
    """Those that the day is in, each with when it began."""
    return tuple((period.value, int(began(period, day))) for period in Period)
