"""Log lines leave without holding anyone up, and a broken way out is only counted."""

import threading
from pathlib import Path

import pytest

from isthmus.telemetry import lines
from isthmus.telemetry.lines import LineWriter


def test_what_was_put_is_in_the_file_when_the_writer_is_closed(tmp_path: Path) -> None:
    writer = LineWriter(tmp_path / "log")
    for number in range(1000):
        writer.put(b"%d\n" % number)
    writer.close()
    assert (tmp_path / "log").read_bytes().splitlines() == [b"%d" % number for number in range(1000)]
    assert writer.dropped == 0


def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    writer = LineWriter(Path("/dev/full"))
    writer.put(b"one\ntwo\n")
    writer.put(b"three\n")
    writer.close()
    assert writer.dropped == 3


class Stuck:
    """A way out that blocks until it is let go, as a pipe does that nobody reads."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def write(self, data: bytes) -> int:
        self.begun.set()
        self.let_go.wait(10)
        return len(data)

    def flush(self) -> None:
        pass


def test_a_stuck_pipe_fills_a_bounded_queue_and_then_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    monkeypatch.setattr(lines, "QUEUE", 3)
    monkeypatch.setattr(lines, "_open", lambda path, rotation: stuck)
    writer = LineWriter()
    writer.put(b"taken\n")
    assert stuck.begun.wait(5)
    for _ in range(5):
        writer.put(b"x\n")
    assert writer.dropped == 2
    stuck.let_go.set()
    writer.close()
