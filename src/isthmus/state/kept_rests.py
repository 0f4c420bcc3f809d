"""Rests that outlive a restart, in one small file."""

import asyncio
import logging
import os
from pathlib import Path

from isthmus.core.value import Value
from isthmus.engine.ports import Clock
from isthmus.routing.health import Health
from isthmus.state.rest_rows import Fingerprints, RestRows, Row
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS

FILE = "rests.json"
ROUND = 2.0
"""Seconds between two looks whether anything changed."""
LONGEST = 1024 * 1024
"""Bytes of a file that is read."""

log = logging.getLogger(__name__)


class Kept(Value, frozen=True):
    rests: tuple[Row, ...] = ()


_read = json.decoder(Kept)


class KeptRests:
    """The rests of `health`, kept at `path`."""

    def __init__(self, path: Path, health: Health, clock: Clock, fingerprints: Fingerprints) -> None:
        self._path = path
        self._health = health
        self._rows = RestRows(health, clock, fingerprints, cause="known from before the restart")
        self._seen = 0
        self._written: tuple[Row, ...] = ()

    def load(self) -> None:
        """Take up the rests of the last run that are not over, of keys that are still the same. Never raises."""
        try:
            with self._path.open("rb") as file:
                self._written = _read(file.read(LONGEST)).rests
        except FileNotFoundError:
            return
        except (OSError, *DECODE_ERRORS) as error:
            log.warning("what rested before cannot be read from %s: %s", self._path, error)
            return
        self._rows.restore(self._written)
        self._seen = self._health.changes

    async def run(self) -> None:
        """Write the file a little after anything changed, until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            if self._health.changes != self._seen:
                self._seen = self._health.changes
                rows = self._rows.rows()
                if rows != self._written:
                    await asyncio.to_thread(self._write, rows)

    def save(self) -> None:
        """Write what was not written yet. Never raises."""
        rows = self._rows.rows()
        if rows != self._written:
            self._write(rows)

    def _write(self, rows: tuple[Row, ...]) -> None:
        beside = self._path.with_name(f"{FILE}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(json.encode(Kept(rows)))
            beside.replace(self._path)
        except OSError as error:
            log.warning("what rests cannot be kept in %s: %s", self._path, error.strerror)
        self._written = rows
