"""The books are looked over: what was spent is worked out again from rows and hours, and held against what stands.

Reckons for itself, so that a mistake of the writer is found here. What is no longer kept cannot be worked out: a sum
that began before the oldest row or hour may be greater than what is found, and is told as such.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from isthmus.core.periods import DAY, Period, began
from isthmus.core.value import Value
from isthmus.store.tables import spent, used, used_hours
from isthmus.store.writing import HOUR

_AT_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""For PostgreSQL: what is written meanwhile is not seen in half. SQLite's transactions are so by themselves."""

Sums: TypeAlias = Mapping[tuple[str, str, int], int]
"""Microdollars by scope, period, and when that began; an hour's scope is the client's."""


class Difference(Value, frozen=True):
    """What stands under `scope` for the `period` from `since` on, and what it comes to when it is worked out again."""

    scope: str
    period: str
    since: int
    stands: int
    comes_to: int


class Ledger(Value, frozen=True):
    """`same` sums agree; `older` began before what is kept, so that they can only be seen not to be too small."""

    same: int
    older: int
    differences: tuple[Difference, ...]

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(self.same + other.same, self.older + other.older, self.differences + other.differences)


def read_ledger(connection: Connection) -> Ledger:
    """Hold hours against rows, and what was spent against hours."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_AT_ONE_MOMENT)
    rows, hours = _hours_of_rows(connection), _hours(connection)
    stands = {(row.scope, row.period, row.since): row.microdollars for row in connection.execute(select(spent))}
    first_row, first_hour = _first(connection, func.min(used.c.at)), _first(connection, func.min(used_hours.c.hour))
    return _held(hours, rows, kept_since=first_row) + _held(stands, _spent_of(hours), kept_since=first_hour)


def _first(connection: Connection, what: Any) -> float:
    """When what is kept begins; infinity where nothing is."""
    found = connection.execute(select(what)).scalar()
    return float("inf") if found is None else float(found)


def _hours_of_rows(connection: Connection) -> Sums:
    hour = cast(func.floor(used.c.at / HOUR), BigInteger) * HOUR
    return _summed(connection, select(used.c.client, used.c.team, hour.label("hour"), _sum(used.c.microdollars)))


def _hours(connection: Connection) -> Sums:
    hours = used_hours.c
    return _summed(connection, select(hours.client, hours.team, hours.hour, _sum(hours.microdollars)))


def _sum(what: Any) -> Any:
    return cast(func.coalesce(func.sum(what), 0), BigInteger).label("microdollars")


def _summed(connection: Connection, asked: Select[Any]) -> Sums:
    """By client and team, as one name, and by hour. Those of nothing are left out."""
    found = connection.execute(asked.group_by(*list(asked.selected_columns)[:3]))
    return {(f"{row.client}\n{row.team}", "hour", int(row.hour)): row.microdollars for row in found if row.microdollars}


def _spent_of(hours: Sums) -> Sums:
    sums: dict[tuple[str, str, int], int] = {}
    for (names, _, hour), microdollars in hours.items():
        client, _, team = names.partition("\n")
        for period in Period:
            since = int(began(period, hour // DAY * DAY))
            for scope in (f"client:{client}", *((f"team:{team}",) if team else ()), "global:"):
                key = scope, period.value, since
                sums[key] = sums.get(key, 0) + microdollars
    return sums


def _held(stands: Sums, comes_to: Sums, *, kept_since: float) -> Ledger:
    differences = tuple(_differences(stands, comes_to))
    older = [one for one in differences if one.since < kept_since and one.comes_to < one.stands]
    same = sum(1 for key, amount in stands.items() if comes_to.get(key, 0) == amount)
    return Ledger(same, len(older), tuple(one for one in differences if one not in older))


def _differences(stands: Sums, comes_to: Sums) -> Iterator[Difference]:
    for key in sorted(stands.keys() | comes_to.keys()):
        if stands.get(key, 0) != comes_to.get(key, 0):
            scope, period, since = key
            told = f"client:{scope.replace(chr(10), ', team:').removesuffix(', team:')}" if period == "hour" else scope
            yield Difference(told, period, since, stands.get(key, 0), comes_to.get(key, 0))
