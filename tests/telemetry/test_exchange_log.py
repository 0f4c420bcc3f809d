"""What became of exchanges is written in batches: at last when a moment has passed, at once when many wait."""

from pathlib import Path

from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.exchange import Call, Exchange
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.log import BATCH, ExchangeLog
from isthmus.telemetry.ring import Ring
from tests.fakes.clock import FakeClock


def finished(number: int) -> Exchange:
    return Exchange(f"ex_{number}", Call(CODEC, "/v1/chat/completions", ()), FakeClock(), version=1)


async def test_a_full_batch_does_not_wait_for_its_time(tmp_path: Path) -> None:
    writer = LineWriter(tmp_path / "log")
    log = ExchangeLog(writer, Ring(), as_json=True)
    for number in range(BATCH + 1):
        log.record(finished(number))
    writer.close()
    assert len((tmp_path / "log").read_bytes().splitlines()) == BATCH
    log.flush()


async def test_what_waits_is_written_when_the_gateway_ends(tmp_path: Path) -> None:
    writer = LineWriter(tmp_path / "log")
    log = ExchangeLog(writer, Ring(), as_json=True)
    log.record(finished(1))
    log.flush()
    writer.close()
    assert b'"id":"ex_1"' in (tmp_path / "log").read_bytes()


async def test_what_is_written_is_counted_once_and_in_batches(tmp_path: Path) -> None:
    writer = LineWriter(tmp_path / "log")
    counted: list[list[str]] = []
    log = ExchangeLog(writer, Ring(), as_json=True, counts=[lambda batch: counted.append([one.id for one in batch])])
    for number in range(BATCH + 1):
        log.record(finished(number))
    log.flush()
    log.flush()
    writer.close()
    assert counted == [[f"ex_{number}" for number in range(BATCH)], [f"ex_{BATCH}"]]
