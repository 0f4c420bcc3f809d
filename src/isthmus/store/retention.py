"""Forgets what is older than it is kept for, a bounded number of rows at a time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, delete, select, tuple_

from isthmus.core.periods import DAY, Period
from isthmus.store.tables import bodies, deeds, spent, used, used_days, used_hours

STEP = 1000
"""Rows that are deleted in one transaction."""


LONGEST_PERIOD = 31 * DAY
"""A period that began longer before a time has ended by then, but for the one that never ends."""


class Aged(NamedTuple):
    """A table whose rows grow old by the column `at`, and by `lasts` seconds later; those of `forever` never do."""

    at: Column[Any]
    lasts: int = 0
    forever: tuple[Column[Any], str] | None = None


ROWS = (Aged(used.c.at),)
SUMS = (
    Aged(used_hours.c.hour),
    Aged(used_days.c.day, DAY),
    Aged(spent.c.since, LONGEST_PERIOD, (spent.c.period, Period.ALL.value)),
)
DEEDS = (Aged(deeds.c.at),)
BODIES = (Aged(bodies.c.at),)


def forget_some(connection: Connection, tables: Sequence[Aged], before: float) -> int:
    """Delete some of what is older than `before`; how many rows. Fewer than STEP: nothing of them is left."""
    return sum(_forget(connection, aged, before) for aged in tables)


def _forget(connection: Connection, aged: Aged, before: float) -> int:
    table = aged.at.table
    keys = list(table.primary_key.columns)
    oldest = select(*keys).where(aged.at < before - aged.lasts)
    if aged.forever is not None:
        column, value = aged.forever
        oldest = oldest.where(column != value)
    chosen = oldest.order_by(aged.at).limit(STEP)
    return connection.execute(delete(table).where(tuple_(*keys).in_(chosen))).rowcount
