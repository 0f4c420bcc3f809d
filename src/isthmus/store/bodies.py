"""What was said in exchanges, apart from all else that is kept of them."""

from collections.abc import Sequence

from msgspec.structs import asdict
from sqlalchemy import Connection, select

from isthmus.engine.bodies import Bodies
from isthmus.store.tables import bodies
from isthmus.store.upsert import upsert


def write_bodies(connection: Connection, rows: Sequence[Bodies]) -> None:
    connection.execute(upsert(connection.dialect, bodies), [asdict(row) for row in rows])


def read_bodies(connection: Connection, identity: str) -> Bodies | None:
    row = connection.execute(select(bodies).where(bodies.c.id == identity)).mappings().first()
    return None if row is None else Bodies(**row)
