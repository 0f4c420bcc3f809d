"""The steps that lead to this version's tables: from every one, in both databases, by one instance at a time."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec.structs import replace
from sqlalchemy import Connection, text

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.store import migrating
from isthmus.store.address import Address
from isthmus.store.database import open_database
from isthmus.store.faults import Unusable
from isthmus.store.migrating import HEAD, migrate, version
from isthmus.store.rules import KEEP
from isthmus.store.store import open_store
from isthmus.store.tables import metadata
from support.stores import PATIENT

FOLDER = Path(migrating.__file__).parent / "migrations"
SCRIPTS = ScriptDirectory(str(FOLDER))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()]
OF_POSTGRESQL = ("used_client_at", "used_model_at")
"""Indexes that the other database does not have."""
_T = TypeVar("_T")


async def in_database(address: Address, work: Callable[[Connection], _T]) -> _T:
    """What this makes of the database, in one transaction."""
    database = open_database(address)
    try:
        return await database.write(work)
    finally:
        await database.close()


def differences(connection: Connection) -> list[object]:
    """Between the tables that are there and those that this version asks for of this kind of database."""

    def asked_for(thing: object, name: str | None, *_: object) -> bool:
        return name not in OF_POSTGRESQL or connection.dialect.name == "postgresql"

    return list(compare_metadata(MigrationContext.configure(connection, opts={"include_object": asked_for}), metadata))


def upgraded_to(revision: str) -> Callable[[Connection], None]:
    def upgrade(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        command.upgrade(config, revision)

    return upgrade


def test_the_head_is_the_last_step() -> None:
    assert SCRIPTS.get_current_head() == HEAD


async def test_the_steps_lead_to_the_tables_of_this_version(address: Address) -> None:
    await asyncio.to_thread(migrate, address)
    assert await in_database(address, version) == HEAD
    assert await in_database(address, differences) == []


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_database_of_every_earlier_version_is_brought_here(revision: str, address: Address) -> None:
    await in_database(address, upgraded_to(revision))
    await asyncio.to_thread(migrate, address)
    assert await in_database(address, differences) == []


async def test_migrating_twice_changes_nothing(address: Address) -> None:
    await asyncio.to_thread(migrate, address)
    await asyncio.to_thread(migrate, address)
    assert await in_database(address, version) == HEAD


async def test_instances_that_start_together_migrate_once(address: Address) -> None:
    await asyncio.gather(*(asyncio.to_thread(migrate, address) for _ in range(4)))
    assert await in_database(address, differences) == []


async def test_a_database_of_a_newer_version_is_left_alone(address: Address, clock: FakeClock) -> None:
    await asyncio.to_thread(migrate, address)
    await in_database(
        address, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num='9'"))
    )
    with pytest.raises(Unusable, match="made by a newer version of Isthmus"):
        await asyncio.to_thread(migrate, address)
    async with open_store(address, clock, KEEP, replace(PATIENT, patience=0.01)) as store:
        async with asyncio.timeout(30):
            while "newer version" not in store.state:
                await asyncio.sleep(0.01)
        with pytest.raises(GatewayError) as refused:
            await store.client_keys()
    assert refused.value.kind is Kind.STORE_GONE


def test_alembic_is_not_imported_where_there_is_nothing_to_do(address: Address) -> None:
    migrate(address)
    program = (
        "import sys; from pathlib import Path; from isthmus.core.secret import Secret\n"
        "from isthmus.store.address import Address; from isthmus.store.migrating import migrate\n"
        "migrate(Address(sys.argv[1], Secret(sys.argv[2]), Path(sys.argv[3])))\n"
        "assert 'alembic' not in sys.modules"
    )
    where = [address.kind, address.url.reveal() if address.url else "", str(address.file or "")]
    done = subprocess.run([sys.executable, "-c", program, *where], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


OPENS_AND_STOPS = """
import asyncio, sys
from pathlib import Path
from fakes.clock import FakeClock
from isthmus.store.address import address_of
from isthmus.store.rules import KEEP, PACE
from isthmus.store.store import open_store

async def main():
    async with open_store(address_of(None, Path(sys.argv[1])), FakeClock(), KEEP, PACE):
        while not any(one.name == "isthmus-migrations" for one in __import__("threading").enumerate()):
            await asyncio.sleep(0.01)

asyncio.run(main())
"""


def test_who_is_held_back_by_another_instances_steps_can_stop_all_the_same(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
    with closing(sqlite3.connect(tmp_path / "isthmus.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN EXCLUSIVE")
        command = [sys.executable, "-c", OPENS_AND_STOPS, str(tmp_path)]
        done = subprocess.run(command, env=environment, timeout=30, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_gateway_and_its_commands_import_no_sql() -> None:
    program = "import sys, isthmus.app, isthmus.cli.main; assert 'sqlalchemy' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
