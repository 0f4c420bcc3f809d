"""What happens to use when its database fails: nothing is counted twice, little is lost, and it heals by itself."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from bench.postgres_server import PostgresServer
from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.records import UsageQuery, Used, UsedQuery
from isthmus.store.address import address_of
from isthmus.store.database import open_database
from isthmus.store.faults import OutOfReach
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.servers import open_postgres
from support.stores import PATIENT, written
from support.used import LIKE_MOST, TIME

DAY = 86_400.0


def rows(many: int, start: int = 0) -> list[Used]:
    return [replace(LIKE_MOST, id=f"ex_{number}", at=TIME + number / 1000) for number in range(start, start + many)]


async def until(store: Store, words: str) -> None:
    """Until its state says so."""
    try:
        async with asyncio.timeout(30):
            while words not in store.state:
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"it does not say {words!r} but {store.state!r}") from None


async def requests_of(store: Store) -> tuple[int, int]:
    """How many exchanges there are, as rows and in sums."""
    (total,) = await store.usage(UsageQuery(since=0, until=TIME + DAY))
    return len(await store.used(UsedQuery(limit=10_000))), total.requests


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    with open_postgres() as server:
        yield server


async def test_a_server_that_is_stopped_and_started_loses_nothing(
    mortal: PostgresServer, tmp_path: Path, clock: FakeClock
) -> None:
    async with open_store(address_of(mortal.new_database(), tmp_path), clock, KEEP, PATIENT) as store:
        store.use(rows(1000))
        await written(store)
        store.use(rows(1000, start=1000))
        mortal.stop()
        store.use(rows(1000, start=2000))
        await until(store, "unreachable since 2023-11-14T22:13:20Z")
        mortal.start()
        await written(store)
        assert store.state == "postgresql"
        assert await requests_of(store) == (3000, 3000)


async def test_connections_that_are_cut_while_rows_are_written_count_nothing_twice(
    mortal: PostgresServer, tmp_path: Path, clock: FakeClock
) -> None:
    url = mortal.new_database()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isthmus'"
    async with open_store(address_of(url, tmp_path), clock, KEEP, PATIENT) as store:
        await store.client_keys()
        for begin in range(0, 9000, 900):
            store.use(rows(900, start=begin))
            await asyncio.sleep(0.01)
            await asyncio.to_thread(mortal.ask, cut)
        await written(store)
        assert await requests_of(store) == (9000, 9000)


async def test_questions_to_a_server_that_is_gone_are_refused_as_such(
    mortal: PostgresServer, tmp_path: Path, clock: FakeClock
) -> None:
    pace = replace(PATIENT, patience=5)
    async with open_store(address_of(mortal.new_database(), tmp_path), clock, KEEP, pace) as store:
        await store.client_keys()
        mortal.stop()
        with pytest.raises(GatewayError) as refused:
            await store.client_keys()
        assert (refused.value.kind, refused.value.retry_after) == (Kind.STORE_GONE, 1.0)
        assert "unreachable" in store.state
        mortal.start()
        assert await store.client_keys() == ()
        assert store.state == "postgresql"


async def test_a_server_that_is_gone_at_the_start_is_opened_when_it_comes(
    mortal: PostgresServer, tmp_path: Path, clock: FakeClock
) -> None:
    address = address_of(mortal.new_database(), tmp_path)
    mortal.stop()
    async with open_store(address, clock, KEEP, PATIENT) as store:
        store.use(rows(10))
        await until(store, "10 rows wait")
        await until(store, "unreachable")
        mortal.start()
        await written(store)
        assert await requests_of(store) == (10, 10)


@pytest.mark.parametrize(
    ("database", "why"),
    [
        ("nowhere", 'database "nowhere" does not exist'),
        ("postgres?sslmode=require", "rejected SSL upgrade"),
        ("postgres?gateways=2", 'unrecognized configuration parameter "gateways"'),
    ],
)
async def test_a_server_that_refuses_is_told_with_its_reason(
    database: str, why: str, postgres: PostgresServer, tmp_path: Path, clock: FakeClock
) -> None:
    url = Secret(f"postgresql://isthmus@127.0.0.1:{postgres.port}/{database}")
    async with open_store(address_of(url, tmp_path), clock, KEEP, PATIENT) as store:
        await until(store, why)


async def test_no_password_is_told_of_a_server_that_refuses(tmp_path: Path, clock: FakeClock) -> None:
    url = Secret("postgresql://isthmus:hunter2-hunter2@127.0.0.1:1/isthmus")
    async with open_store(address_of(url, tmp_path), clock, KEEP, PATIENT) as store:
        await until(store, "unreachable")
        assert "hunter2" not in store.state


@pytest.fixture
async def file(tmp_path: Path, clock: FakeClock) -> Path:
    """A database of SQLite with a hundred rows."""
    address = address_of(None, tmp_path)
    async with open_store(address, clock, KEEP, PATIENT) as store:
        store.use(rows(100))
        await written(store)
    assert address.file is not None
    return address.file


@pytest.fixture
async def opened(file: Path, clock: FakeClock) -> AsyncIterator[Store]:
    async with open_store(address_of(None, file.parent), clock, KEEP, PATIENT) as store:
        await store.client_keys()
        yield store


async def test_rows_wait_while_another_program_holds_the_file(file: Path, opened: Store) -> None:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
        opened.use(rows(100, start=100))
        await asyncio.sleep(0.05)
        assert opened.waiting == 100
        other.execute("ROLLBACK")
    await written(opened)
    assert await requests_of(opened) == (200, 200)


WRITES_UNTIL_KILLED = """
import asyncio, os, sys
from pathlib import Path
from fakes.clock import FakeClock
from isthmus.store.address import address_of
from isthmus.store.database import open_database
from isthmus.store.faults import OutOfReach
from isthmus.store.rules import KEEP, Pace
from isthmus.store.store import open_store
from support.used import LIKE_MOST
from msgspec.structs import replace

async def main():
    parent = os.getppid()
    async with open_store(address_of(None, Path(sys.argv[1])), FakeClock(), KEEP, Pace(every=0.01)) as store:
        for number in range(100, 10**9):
            store.use([replace(LIKE_MOST, id=f"ex_{number}", at=LIKE_MOST.at + number / 1000)])
            if number == 3000:
                print("under way", flush=True)
            while store.waiting > 1000:
                if os.getppid() != parent:
                    return
                await asyncio.sleep(0.001)

asyncio.run(main())
"""
"""Without end for whoever kills it, and with one where that is gone and cannot."""


async def test_a_writer_that_is_killed_corrupts_nothing_and_counts_nothing_twice(file: Path, clock: FakeClock) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WRITES_UNTIL_KILLED,
        str(file.parent),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            await process.stdout.readline()
            await asyncio.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows_there, cost = database.execute("SELECT count(*), sum(microdollars) FROM used").fetchone()
        summed = database.execute("SELECT sum(requests), sum(microdollars) FROM used_hours").fetchone()
        spent = database.execute("SELECT microdollars FROM spent WHERE scope = 'global:' AND period = 'all'").fetchone()
    assert rows_there > 1000
    assert summed == (rows_there, cost)
    assert spent == (cost,)


async def test_a_full_disk_loses_no_row_within_the_bound(small_disk: Path, clock: FakeClock) -> None:
    async with open_store(address_of(None, small_disk), clock, KEEP, PATIENT) as store:
        await store.client_keys()
        filler = small_disk / "filler"
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        store.use(rows(5000))
        await until(store, "database or disk is full")
        assert store.waiting > 0
        filler.unlink()
        await written(store)
        assert store.state == "sqlite"
        assert await requests_of(store) == (5000, 5000)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of eight megabytes."""
    with TemporaryDirectory(prefix="isthmus-") as folder:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


async def test_a_clock_that_is_set_back_changes_nothing_that_was_written(opened: Store, clock: FakeClock) -> None:
    clock.move(-3 * DAY)
    opened.use([replace(one, at=one.at - 3 * DAY) for one in rows(50, start=100)])
    await written(opened)
    assert await requests_of(opened) == (150, 150)
    (later,) = await opened.usage(UsageQuery(since=TIME - 1, until=TIME + DAY))
    assert later.requests == 100


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


async def test_nobody_waits_longer_for_a_long_question_than_they_want_to(tmp_path: Path) -> None:
    database = open_database(address_of(None, tmp_path), run_within=0.5)
    begun, ended = asyncio.Event(), asyncio.Event()

    def ask(connection: Connection) -> None:
        begun.set()
        try:
            connection.exec_driver_sql(ENDLESS)
        finally:
            ended.set()

    asking = asyncio.create_task(database.read(ask))
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not ended.is_set()
    await database.close()
    assert ended.is_set()


async def test_a_question_without_end_is_ended(tmp_path: Path) -> None:
    database = open_database(address_of(None, tmp_path), run_within=0.05)
    with pytest.raises(OutOfReach, match="interrupted"):
        await database.read(lambda connection: connection.exec_driver_sql(ENDLESS).scalar())
    assert await database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar()) == 1
    await database.close()


async def test_a_folder_that_cannot_be_written_is_told_and_rows_wait(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "taken").write_text("a file in place of the folder")
    async with open_store(address_of(None, tmp_path / "taken"), clock, KEEP, replace(PATIENT, close=0.01)) as store:
        store.use(rows(3))
        await until(store, "3 rows wait")
        assert "exists: " in store.state or "directory: " in store.state
