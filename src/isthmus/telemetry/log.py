"""One line per exchange, and the gateway's own messages, as JSON or as text for people."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from isthmus.engine.exchange import Exchange
from isthmus.engine.facts import facts, in_words, level_of, one_line
from isthmus.telemetry.line_forms import LineForms
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.one_by_one import Spoiled, one_by_one
from isthmus.telemetry.ring import Entry, Ring
from isthmus.wire import json

BATCH_EVERY = 0.2
"""Seconds that the line of a finished exchange waits to be written, with others."""


BATCH = 64
"""Exchanges that wait at most. Lines are made of many at a time, but not of more than a processor's caches hold."""

NAMED = 8
"""Exchanges at most that are named where a fault lost something of many."""

_MILLISECONDS = tuple(f".{number:03d}Z" for number in range(1000))
Count: TypeAlias = Callable[[Sequence[Exchange]], None]

log = logging.getLogger(__name__)


class ExchangeLog:
    """Implements the engine's Recorder. On the way of most exchanges it only appends to a list.

    Each of `counts` is handed what has finished, a batch at a time. Where one of them fails, the others do not.
    """

    def __init__(self, writer: LineWriter, ring: Ring, *, as_json: bool, counts: Sequence[Count] = ()) -> None:
        self._writer = writer
        self._ring = ring
        self._takers: Sequence[Count] = (self._write, *counts)
        self._as_json = as_json
        self._forms = LineForms()
        self._waiting: list[Exchange] = []
        self._timer: asyncio.TimerHandle | None = None

    def record(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_EVERY, self.flush)
        elif len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Hand over the lines of what has finished since the last time, and have it counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        faults: dict[str, Exception] = {}
        for take in self._takers:
            try:
                take(batch)
            except Spoiled as some:
                faults |= some.faults
            except Exception as fault:
                faults |= {one.id: fault for one in batch}
        if faults:
            _tell(faults)

    def _write(self, batch: Sequence[Exchange]) -> None:
        shown = batch if self._ring.writes("info") else [one for one in batch if self._matters(one)]
        entries: list[Entry] = []
        lines: list[bytes] = []

        def take(exchange: Exchange) -> None:
            line = self._forms.line(exchange, _stamp(exchange.at))
            lines.append(line if self._as_json else _short(exchange))
            entries.append((exchange.at, level_of(exchange.error), line))

        try:
            one_by_one(shown, take)
        finally:
            if lines:
                self._ring.put(entries)
                self._writer.put(b"\n".join((*lines, b"")))

    def _matters(self, exchange: Exchange) -> bool:
        return self._ring.writes(level_of(exchange.error))


class MessageHandler(logging.Handler):
    """The standard library's log records, on the same way out."""

    def __init__(self, writer: LineWriter, ring: Ring, *, as_json: bool) -> None:
        super().__init__()
        self._writer = writer
        self._ring = ring
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            message += "\n" + logging.Formatter().formatException(record.exc_info)
        level = record.levelname.lower()
        told = {"at": _stamp(record.created), "level": level, "logger": record.name, "message": message}
        line = json.encode(told)
        self._ring.put(((record.created, level, line),))
        if not self._as_json:
            words = "\n  ".join(one_line(one) for one in message.split("\n"))
            line = f"{_clock(record.created)} {level:7} {words}".encode(errors="replace")
        self._writer.put(line + b"\n")


def set_up_logging(writer: LineWriter, ring: Ring, *, as_json: bool, level: str) -> None:
    """Send everything under `isthmus` at `level` and above to `writer` and `ring`, and nothing anywhere else."""
    logger = logging.getLogger("isthmus")
    logger.handlers = [MessageHandler(writer, ring, as_json=as_json)]
    logger.propagate = False
    logger.setLevel(level.upper())


def _tell(faults: Mapping[str, Exception]) -> None:
    """Say once what is lost of these; the first reason stands for all."""
    names = ", ".join(list(faults)[:NAMED]) + (f" and {len(faults) - NAMED} more" if len(faults) > NAMED else "")
    words = "by a fault of the gateway, something is not logged, counted or stored of exchanges: %s"
    log.error(words, names, exc_info=next(iter(faults.values())))


def _short(exchange: Exchange) -> bytes:
    """The line for people who read along."""
    return in_words(facts(exchange, ""), _clock(exchange.at)).encode(errors="replace")


def _stamp(at: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    whole = int(at)
    return _second(whole) + _MILLISECONDS[int((at - whole) * 1000)]


@lru_cache(maxsize=8)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")
