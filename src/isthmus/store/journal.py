"""What administrators did, and which configurations were in force."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, text

from isthmus.engine.records import Configuration, Deed
from isthmus.store.tables import configurations, deeds

MOST = 1000
"""Deeds or configurations in one answer."""
HISTORY = 500
"""Configurations that are kept."""


def write_deed(connection: Connection, deed: Deed) -> None:
    connection.execute(insert(deeds), asdict(deed))


def read_deeds(connection: Connection, before: float | None, limit: int) -> Sequence[Deed]:
    """The latest first."""
    asked = select(deeds).order_by(deeds.c.at.desc(), deeds.c.id.desc()).limit(max(0, min(limit, MOST)))
    if before is not None:
        asked = asked.where(deeds.c.at < before)
    return tuple(_deed(row) for row in connection.execute(asked).mappings())


def keep_configuration(connection: Connection, at: float, who: str, words: str, note: str) -> int:
    """Its number. A text that is the latest one already keeps its number."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE configurations IN EXCLUSIVE MODE"))
    latest = connection.execute(select(configurations).order_by(configurations.c.number.desc()).limit(1)).first()
    if latest is not None and latest.text == words:
        return int(latest.number)
    kept = connection.execute(
        insert(configurations).returning(configurations.c.number),
        {"at": at, "who": who, "text": words, "note": note},
    )
    number = int(kept.scalar_one())
    connection.execute(delete(configurations).where(configurations.c.number <= number - HISTORY))
    return number


def read_configurations(connection: Connection, limit: int) -> Sequence[Configuration]:
    """The latest first, without their texts."""
    table = configurations.c
    asked = select(table.number, table.at, table.who, table.note).order_by(table.number.desc())
    rows = connection.execute(asked.limit(max(0, min(limit, MOST)))).mappings()
    return tuple(Configuration(**row, text="") for row in rows)


def read_configuration(connection: Connection, number: int) -> Configuration | None:
    row = connection.execute(select(configurations).where(configurations.c.number == number)).mappings().first()
    return None if row is None else Configuration(**row)


def _deed(row: Mapping[Any, Any]) -> Deed:
    return Deed(**{name: value for name, value in row.items() if name != "id"})
