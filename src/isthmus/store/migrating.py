"""Brings the database to this version's tables, by one instance at a time, in a thread and an event loop of its own.

Alembic is imported only where there is something to do.
"""

import asyncio
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from isthmus.store.address import POSTGRESQL, Address
from isthmus.store.database import open_database
from isthmus.store.faults import Unusable

HEAD = "0003"
"""The last of the steps in `migrations/versions`."""
WITHIN = 600.0
"""Seconds that one step, or another instance's steps, may take."""
_LOCK = 0x697374686D7573
"""What instances lock at PostgreSQL while they migrate."""


def migrate(address: Address) -> None:
    """Blocks until the database has this version's tables. Raises OutOfReach, or Unusable with what to do next."""
    asyncio.run(_migrate(address))


async def _migrate(address: Address) -> None:
    database = open_database(address, run_within=WITHIN)
    try:
        if await database.read(version) != HEAD:
            await database.write(_upgrade)
    finally:
        await database.close()


def version(connection: Connection) -> str | None:
    """The step that the database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    number: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return number


def _upgrade(connection: Connection) -> None:
    """In one transaction, which another instance waits for; that one then finds nothing left to do."""
    from alembic import command  # noqa: PLC0415  slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    if connection.dialect.name == POSTGRESQL:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    found = version(connection)
    if found is not None and found not in known:
        raise Unusable(f"it was made by a newer version of Isthmus (its tables are at {found}, this one knows {HEAD})")
    command.upgrade(config, HEAD)
