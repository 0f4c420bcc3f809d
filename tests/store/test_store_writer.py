"""Rows on their way to the database: batches, a bound, and what becomes of them while it fails."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.engine.records import Used
from isthmus.store.faults import OutOfReach, Unfit
from isthmus.store.rules import Pace
from isthmus.store.writer import BATCH, Writer
from support.used import LIKE_MOST

PACE = Pace(every=0.0, retry=0.0, retry_most=0.0)


class Database:
    """Takes rows, once each, unless a test says otherwise. `batches` are those that were tried, with their doubts."""

    def __init__(self) -> None:
        self.rows: dict[str, Used] = {}
        self.batches: list[tuple[int, bool]] = []
        self.fails = 0
        self.forgets_to_answer = 0
        self.never: set[str] = set()
        self.stumbles: set[str] = set()

    async def write(self, rows: Sequence[Used], doubtful: bool) -> None:
        self.batches.append((len(rows), doubtful))
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise OutOfReach("the disk is full")
        if any(row.asked in self.never for row in rows):
            raise Unfit("ValueError")
        if any(row.id in self.stumbles for row in rows):
            raise KeyError("nobody thought of this")
        assert doubtful or not any(row.id in self.rows for row in rows)
        self.rows.update({row.id: row for row in rows})
        if self.forgets_to_answer:
            self.forgets_to_answer -= 1
            raise OutOfReach("the connection was lost")


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
async def writer(database: Database, clock: FakeClock) -> AsyncIterator[Writer]:
    writer = Writer(database.write, clock, PACE, most=2000)
    task = asyncio.create_task(writer.run())
    yield writer
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def rows(many: int, start: int = 0) -> list[Used]:
    return [replace(LIKE_MOST, id=f"ex_{number}") for number in range(start, start + many)]


async def until_written(writer: Writer) -> None:
    while writer.waiting:
        await asyncio.sleep(0)


async def test_rows_are_written_in_batches(writer: Writer, database: Database) -> None:
    writer.put(rows(BATCH * 2 + 1))
    await until_written(writer)
    assert database.batches == [(BATCH, False), (BATCH, False), (1, False)]


async def test_rows_that_come_one_by_one_are_written_together(database: Database, clock: FakeClock) -> None:
    writer = Writer(database.write, clock, Pace(every=0.02), most=2000)
    task = asyncio.create_task(writer.run())
    for row in rows(10):
        writer.put([row])
        await asyncio.sleep(0)
    await until_written(writer)
    task.cancel()
    assert database.batches == [(10, False)]


async def test_what_failed_is_written_again_with_doubt(writer: Writer, database: Database) -> None:
    database.fails = 2
    writer.put(rows(3))
    await until_written(writer)
    assert database.batches == [(3, False), (3, True), (3, True)]


async def test_rows_that_were_written_without_an_answer_are_not_written_twice(
    writer: Writer, database: Database
) -> None:
    database.forgets_to_answer = 1
    writer.put(rows(3))
    await until_written(writer)
    assert len(database.rows) == 3


async def test_doubt_ends_with_success(writer: Writer, database: Database) -> None:
    database.fails = 1
    writer.put(rows(1))
    await until_written(writer)
    writer.put(rows(1, start=1))
    await until_written(writer)
    assert database.batches[-1] == (1, False)


async def test_while_it_fails_it_says_since_when_and_why(
    writer: Writer, database: Database, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    began = clock.time()
    database.fails = 10**9
    with caplog.at_level(logging.INFO, "isthmus.store"):
        writer.put(rows(1))
        for _ in range(20):
            await asyncio.sleep(0)
            clock.move(1)
        assert writer.since is not None
        assert began <= writer.since <= began + 5
        assert writer.why == "the disk is full"
        database.fails = 0
        await until_written(writer)
    assert writer.since is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_beyond_the_bound_the_newest_are_dropped_and_counted(writer: Writer, database: Database) -> None:
    database.fails = 10**9
    writer.put(rows(1999))
    writer.put(rows(5, start=1999))
    writer.put(rows(5, start=3000))
    assert (writer.waiting, writer.dropped) == (2000, 9)
    database.fails = 0
    await until_written(writer)
    assert set(database.rows) == {row.id for row in rows(2000)}


async def test_a_row_that_is_never_taken_keeps_no_other_back(writer: Writer, database: Database) -> None:
    database.never = {"odd"}
    all_rows = rows(100)
    all_rows[37] = replace(all_rows[37], asked="odd")
    writer.put(all_rows)
    await until_written(writer)
    assert len(database.rows) == 99
    assert writer.dropped == 1


async def test_a_row_is_fitted_where_it_is_not_taken_as_it_is(writer: Writer, database: Database) -> None:
    long = "x" * 1000
    database.never = {long}
    writer.put([replace(LIKE_MOST, asked=long)])
    await until_written(writer)
    assert database.rows["ex_0"] == replace(LIKE_MOST, asked="x" * 64)
    assert writer.dropped == 0


async def test_draining_writes_what_waits(database: Database, clock: FakeClock) -> None:
    writer = Writer(database.write, clock, PACE, most=2000)
    writer.put(rows(BATCH + 1))
    await writer.drain(within=30)
    assert (len(database.rows), writer.dropped) == (BATCH + 1, 0)


async def test_draining_ends_in_time_and_counts_what_is_lost(database: Database, clock: FakeClock) -> None:
    database.fails = 10**9
    writer = Writer(database.write, clock, PACE, most=2000)
    writer.put(rows(3))
    await writer.drain(within=0.01)
    assert (writer.waiting, writer.dropped) == (0, 3)


async def test_a_batch_that_is_cut_off_when_the_gateway_stops_is_written_with_doubt(
    database: Database, clock: FakeClock
) -> None:
    writer = Writer(database.write, clock, PACE, most=2000)
    task = asyncio.create_task(writer.run())
    writer.put(rows(1))
    while not database.batches:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await writer.drain(within=30)
    assert database.batches == [(1, False), (1, True)]


async def test_a_fault_of_the_gateway_costs_the_row_that_has_it_and_no_later_one(
    writer: Writer, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    database.stumbles = {"ex_3"}
    writer.put(rows(10))
    await until_written(writer)
    writer.put(rows(10, start=10))
    await until_written(writer)
    assert sorted(database.rows.keys() ^ {one.id for one in rows(20)}) == ["ex_3"]
    assert writer.dropped == 1
    assert "nobody thought of this" in caplog.text
