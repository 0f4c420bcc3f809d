"""An empty database for each test that asks for one: of SQLite, and of a real PostgreSQL server that tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.postgres_server import PROGRAM, PostgresServer
from fakes.clock import FakeClock
from isthmus.store.address import Address, address_of
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.stores import PATIENT


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if PROGRAM is None:
        pytest.skip("postgres is not on the PATH")
    with TemporaryDirectory(prefix="isthmus-") as folder:
        server = PostgresServer(Path(folder))
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    if request.param == "sqlite":
        return address_of(None, tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return address_of(server.new_database(), tmp_path)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(address: Address, clock: FakeClock) -> AsyncIterator[Store]:
    """Open already."""
    async with open_store(address, clock, KEEP, PATIENT) as store:
        await store.client_keys_version()
        yield store
