"""The log and what else is kept of exchanges, opened as configured: the way out, the ring, dumps, and bodies."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.config.schema_log import LogEntry, LogFormat
from isthmus.engine.live import Live
from isthmus.store.store import Store
from isthmus.telemetry.bodies import Scribe
from isthmus.telemetry.dumps import DumpFolder
from isthmus.telemetry.lines import LineWriter
from isthmus.telemetry.log import set_up_logging
from isthmus.telemetry.redaction import Redactor
from isthmus.telemetry.ring import Ring
from isthmus.telemetry.rotation import Rotation


class OpenedLog(NamedTuple):
    """What lines are handed to."""

    lines: LineWriter
    ring: Ring
    as_json: bool


class LogUnopened(Exception):
    """The log's file cannot be opened. The message says which, and why."""


@contextmanager
def open_log(loaded: Loaded) -> Iterator[OpenedLog]:
    """Raises LogUnopened."""
    entry = loaded.config.log
    rotation = Rotation(entry.max_size or None, entry.backups)
    try:
        lines = LineWriter(Path(entry.file) if entry.file else None, rotation)
    except OSError as error:
        raise LogUnopened(f"the log file {entry.file} cannot be opened: {error.strerror}") from error
    log = OpenedLog(lines, Ring(entry.ring.lines, entry.ring.size), _as_json(entry))
    set_up_logging(lines, log.ring, as_json=log.as_json, level=entry.level)
    try:
        yield log
    finally:
        lines.close()


@contextmanager
def opened_dumps(loaded: Loaded, live: Live) -> Iterator[DumpFolder | None]:
    """Where exchanges that fail have their files; None where they have none."""
    if not loaded.config.log.dumps:
        yield None
        return
    folder = DumpFolder(data_dir(loaded.environment) / "dumps", Redactor(loaded.config.log.redact), live)
    try:
        yield folder
    finally:
        folder.close()


def tell_notes(loaded: Loaded) -> None:
    """Say in the log what is to be known of the configuration."""
    for note in loaded.notes:
        logging.getLogger(__name__).info("configuration: %s", note)


@asynccontextmanager
async def opened_scribe(loaded: Loaded, store: Store | None) -> AsyncIterator[Scribe | None]:
    """Who keeps bodies, should the configuration ask for that; None where there is no store."""
    if store is None:
        yield None
        return
    scribe = Scribe(store, Redactor(loaded.config.log.redact))
    work = asyncio.create_task(scribe.run())
    try:
        yield scribe
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await scribe.close()


def _as_json(entry: LogEntry) -> bool:
    """JSON unless a person is reading along."""
    if entry.format is None:
        return entry.file is not None or not sys.stderr.isatty()
    return entry.format is LogFormat.JSON
