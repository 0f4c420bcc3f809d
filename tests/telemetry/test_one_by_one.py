"""An exchange that cannot be told, counted or stored, by a fault of the gateway, costs itself only and is told once."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from isthmus.core.periods import Period
from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.exchange import AttemptRecord, Call, Exchange
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Target
from isthmus.telemetry.dumps import DumpFolder
from isthmus.telemetry.key_counts import KeyCounts
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.log import NAMED, ExchangeLog, set_up_logging
from isthmus.telemetry.one_by_one import Spoiled
from isthmus.telemetry.redaction import Redactor
from isthmus.telemetry.ring import Ring
from isthmus.telemetry.tally import Tally
from isthmus.telemetry.used import UsedRows
from support.accounts import Accounts, budget, streamed
from tests.fakes.clock import FakeClock
from tests.fakes.records import FakeRecords

BAD = "ex_bad"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """A gateway sets its log up for the whole process."""
    logger = logging.getLogger("isthmus")
    before = logger.level, logger.handlers, logger.propagate
    yield
    logger.setLevel(before[0])
    logger.handlers, logger.propagate = before[1], before[2]


class NoNumber:
    """In place of a time: nothing can be done with it."""

    def __sub__(self, other: object) -> NoReturn:
        raise ArithmeticError("this is no time")

    __rsub__ = __sub__


def finished(identity: str) -> Exchange:
    exchange = Exchange(identity, Call(CODEC, "/v1/chat/completions", ()), FakeClock(), version=1)
    exchange.attempts.append(AttemptRecord(Target("one", "m")))
    exchange.answered = exchange.attempts[0]
    exchange.finished_at = 1.0
    if identity == BAD:
        exchange.finished_at = NoNumber()  # type: ignore[assignment]  # what no exchange should have
    return exchange


def batch() -> list[Exchange]:
    return [finished(identity) for identity in ("ex_1", BAD, "ex_2")]


class Counted:
    """All that is made of exchanges that are over, as a gateway has it."""

    def __init__(self, folder: Path, *more: Exchange) -> None:
        self.live = Live(Snapshot(providers={}))
        self.file = folder / "log"
        self.lines = LineWriter(self.file)
        self.records = FakeRecords()
        self.tally, self.keys = Tally(self.live), KeyCounts()
        ring = Ring()
        set_up_logging(self.lines, ring, as_json=True, level="info")
        counts = [self.tally.count, self.keys.count, UsedRows(self.live, self.records).keep]
        self.log = ExchangeLog(self.lines, ring, as_json=True, counts=counts)

    async def count(self, exchanges: Sequence[Exchange]) -> list[str]:
        """The lines of the log."""
        for one in exchanges:
            self.log.record(one)
        self.log.flush()
        self.lines.close()
        return self.file.read_text().splitlines()


async def test_the_row_of_an_exchange_that_cannot_be_stored_is_lost_and_no_other(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    await counted.count(batch())
    assert sorted(counted.records.rows) == ["ex_1", "ex_2"]


async def test_an_exchange_that_cannot_be_counted_keeps_no_other_from_being_counted(tmp_path: Path) -> None:
    counted = Counted(tmp_path)
    await counted.count(batch())
    numbers = counted.tally.series["isthmus_attempts_total", "one", "answered"]
    assert numbers == [2]
    assert counted.keys.told()["one", ""].requests == 3


async def test_the_lines_of_all_others_are_written(tmp_path: Path) -> None:
    lines = await Counted(tmp_path).count(batch())
    assert [line for line in lines if '"id":"ex_1"' in line]
    assert [line for line in lines if '"id":"ex_2"' in line]


async def test_what_is_lost_is_told_once_for_all_that_lost_it(tmp_path: Path) -> None:
    lines = await Counted(tmp_path).count(batch())
    (told,) = [line for line in lines if '"level":"error"' in line and "fault of the gateway" in line]
    assert BAD in told
    assert "this is no time" in told
    assert "ex_1" not in told


async def test_a_fault_that_everything_has_is_told_in_few_words(tmp_path: Path) -> None:
    many = [finished(BAD) for _ in range(NAMED + 3)]
    for number, one in enumerate(many):
        one.id = f"ex_{number:02}"
    lines = await Counted(tmp_path).count(many)
    (told,) = [line for line in lines if '"level":"error"' in line]
    assert f"ex_{NAMED - 1:02} and 3 more" in told


async def test_a_count_that_fails_at_once_keeps_no_other_from_being_made(tmp_path: Path) -> None:
    async def failing() -> list[str]:
        counted: list[str] = []
        lines = LineWriter(tmp_path / "log")

        def fail(exchanges: Sequence[Exchange]) -> None:
            raise RuntimeError("out of order")

        log = ExchangeLog(
            lines, Ring(), as_json=True, counts=[fail, lambda exchanges: counted.extend(one.id for one in exchanges)]
        )
        log.record(finished("ex_1"))
        log.flush()
        lines.close()
        return counted

    assert await failing() == ["ex_1"]


def test_whoever_counts_says_which_were_not_counted() -> None:
    tally = Tally(Live(Snapshot(providers={})))
    with pytest.raises(Spoiled) as raised:
        tally.count(batch())
    assert list(raised.value.faults) == [BAD]


def test_a_dump_that_cannot_be_made_is_told_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exchange = finished("ex_1")
    exchange.at = float("nan")
    exchange.error = RuntimeError()  # type: ignore[assignment]  # what no exchange should have
    dumps = DumpFolder(tmp_path / "dumps", Redactor(()), Live(Snapshot(providers={})))
    with caplog.at_level(logging.ERROR, "isthmus"):
        dumps.take([exchange])
        dumps.close()
    assert dumps.skipped == 1
    assert "there is no dump of exchange ex_1" in caplog.text


def spoil(accounts: Accounts) -> None:
    """From now on nobody can say what anything costs."""

    def of(*_: object) -> NoReturn:
        raise ArithmeticError("a price that cannot be reckoned")

    accounts.line.live.take().tariffs.of = of


async def test_what_cannot_be_reckoned_counts_as_it_was_claimed_and_is_held_no_longer() -> None:
    running = Limit("client:alice", Measure.RUNNING, 1)
    spent = budget("client:alice", 1_000_000, Period.DAY)
    accounts = Accounts(running, spent, one=[streamed(10, 20), streamed(10, 20)])
    exchange, answer = await accounts.begin()
    claimed = accounts.used(spent)
    spoil(accounts)
    assert b"hello" in await accounts.finish(exchange, answer)
    assert (accounts.used(running), accounts.used(spent)) == (0, claimed)
    assert claimed > 0


async def test_an_exchange_whose_end_cannot_be_reckoned_is_recorded() -> None:
    accounts = Accounts(budget("client:alice", 1_000_000, Period.DAY), one=[streamed(10, 20)])
    exchange, answer = await accounts.begin()
    spoil(accounts)
    await accounts.finish(exchange, answer)
    assert [one.id for one in accounts.line.recorded.exchanges] == [exchange.id]
