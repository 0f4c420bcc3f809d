"""One way to write INSERT ... ON CONFLICT, which SQLite and PostgreSQL have alike and SQLAlchemy spells twice."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Dialect, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(dialect: Dialect, table: Table, add: Sequence[str] = ()) -> Insert:
    """Puts a row in place of the one with its primary key; only `add`, where there are any, are added to that one's."""
    return _upsert(dialect.name, table, tuple(add))


@lru_cache(maxsize=16)
def _upsert(dialect: str, table: Table, add: tuple[str, ...]) -> Insert:
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    new = insert.excluded
    if add:
        changes = {name: table.c[name] + new[name] for name in add}
    else:
        changes = {column.name: new[column.name] for column in table.c if not column.primary_key}
    return insert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes)
