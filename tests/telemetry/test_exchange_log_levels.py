"""What an exchange's end matters, and which lines are written at which level."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.exchange import Call, Exchange
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.log import ExchangeLog, set_up_logging
from isthmus.telemetry.ring import Ring
from isthmus.wire import json
from tests.fakes.clock import FakeClock


@pytest.fixture(autouse=True)
def usual_logger() -> Iterator[None]:
    logger = logging.getLogger("isthmus")
    before = logger.level, logger.handlers, logger.propagate
    yield
    logger.setLevel(before[0])
    logger.handlers, logger.propagate = before[1], before[2]


def ended(identity: str, kind: Kind | None = None) -> Exchange:
    exchange = Exchange(identity, Call(CODEC, "/v1/chat/completions", ()), FakeClock(), version=1)
    exchange.error = None if kind is None else GatewayError(kind, "no")
    return exchange


ENDS = (ended("good"), ended("asked wrongly", Kind.INVALID), ended("down", Kind.UNREACHABLE), ended("bug", Kind.BUG))


async def logged(folder: Path, level: str, *, as_json: bool = True) -> tuple[Ring, bytes]:
    writer, ring = LineWriter(folder / "log"), Ring()
    set_up_logging(writer, ring, as_json=as_json, level=level)
    log = ExchangeLog(writer, ring, as_json=as_json)
    for exchange in ENDS:
        log.record(exchange)
    log.flush()
    logging.getLogger("isthmus.test").warning("hm")
    writer.close()
    return ring, (folder / "log").read_bytes()


async def test_an_exchange_that_failed_matters_more_where_its_client_is_not_to_blame(tmp_path: Path) -> None:
    ring, _ = await logged(tmp_path, "info")
    levels = [(json.decode(line.fields).get("id"), line.level) for line in ring.lines()]
    assert levels == [
        ("good", "info"),
        ("asked wrongly", "warning"),
        ("down", "error"),
        ("bug", "error"),
        (None, "warning"),
    ]


async def test_the_ring_holds_the_very_lines_of_the_file(tmp_path: Path) -> None:
    ring, written = await logged(tmp_path, "info")
    assert [line.fields for line in ring.lines()] == written.splitlines()


async def test_the_level_of_a_line_stands_in_it(tmp_path: Path) -> None:
    ring, _ = await logged(tmp_path, "info")
    assert all(json.decode(line.fields)["level"] == line.level for line in ring.lines())


async def test_only_lines_that_matter_as_much_as_the_level_are_written(tmp_path: Path) -> None:
    ring, written = await logged(tmp_path, "error")
    assert [json.decode(line)["id"] for line in written.splitlines()] == ["down", "bug"]
    assert len(ring.lines()) == 2


async def test_all_exchanges_are_counted_whatever_is_written(tmp_path: Path) -> None:
    writer, ring = LineWriter(tmp_path / "log"), Ring()
    set_up_logging(writer, ring, as_json=True, level="error")
    counted: list[Exchange] = []
    log = ExchangeLog(writer, ring, as_json=True, counts=[counted.extend])
    for exchange in ENDS:
        log.record(exchange)
    log.flush()
    writer.close()
    assert len(counted) == len(ENDS)


async def test_a_message_on_a_terminal_commands_nothing_and_looks_like_no_other_line(tmp_path: Path) -> None:
    writer, ring = LineWriter(tmp_path / "log"), Ring()
    set_up_logging(writer, ring, as_json=False, level="info")
    logging.getLogger("isthmus.test").error("it said \x1b[2J\n12:00:00 info    all is well")
    writer.close()
    first, second = (tmp_path / "log").read_bytes().splitlines()
    assert first.endswith(b" error   it said  [2J")
    assert second == b"  12:00:00 info    all is well"


async def test_a_terminal_has_words_and_the_ring_has_fields(tmp_path: Path) -> None:
    ring, written = await logged(tmp_path, "info", as_json=False)
    assert b" 0 /v1/chat/completions " in written.splitlines()[0]
    assert written.splitlines()[-1].endswith(b" warning hm")
    assert json.decode(ring.lines()[0].fields)["event"] == "exchange"
