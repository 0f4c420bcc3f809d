"""An empty database for each test that asks for one: of SQLite, and of a real PostgreSQL server that tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.postgres_server import PostgresServer
from fakes.clock import FakeClock
from isthmus.store.address import Address, address_of
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.servers import open_postgres
from support.stores import PATIENT


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with open_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    if request.param == "sqlite":
        yield address_of(None, tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    yield address_of(url, tmp_path)
    # Its three hundred files are gone before the server's own folder is taken away in one go.
    server.ask(f"DROP DATABASE {url.reveal().rpartition('/')[2]} WITH (FORCE)")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(address: Address, clock: FakeClock) -> AsyncIterator[Store]:
    """Open already."""
    async with open_store(address, clock, KEEP, PATIENT) as store:
        await store.client_keys_version()
        yield store
