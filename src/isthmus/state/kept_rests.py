"""Rests that outlive a restart, in one small file.

Kept is what a provider said: the times that it named, and that it revoked a key. What was found out by failing is
found out again. Each rest is kept with the fingerprint of its key, so that a new key starts afresh; never with a key,
nor with the words of an error. Times in the file are Unix seconds.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from isthmus.core.errors import Kind
from isthmus.core.value import Value
from isthmus.engine.ports import Clock
from isthmus.routing.health import TRY_EVERY, Health, Place, Resting
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS

FILE = "rests.json"
ROUND = 2.0
"""Seconds between two looks whether anything changed."""
LONGEST = 1024 * 1024
"""Bytes of a file that is read."""

log = logging.getLogger(__name__)

Fingerprints = Callable[[], Mapping[Place, str]]
"""Those of the accounts that are configured now."""


class Row(Value, frozen=True):
    """One rest. `model` is "" for an account as a whole."""

    provider: str
    key: str
    model: str
    kind: str
    since: float
    until: float
    failures: int
    fingerprint: str


class Kept(Value, frozen=True):
    rests: tuple[Row, ...] = ()


_read = json.decoder(Kept)
_KINDS = frozenset(Kind)


class KeptRests:
    """The rests of `health`, kept at `path`."""

    def __init__(self, path: Path, health: Health, clock: Clock, fingerprints: Fingerprints) -> None:
        self._path = path
        self._health = health
        self._clock = clock
        self._fingerprints = fingerprints
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
        self._health.restore(self._known(self._fingerprints()), self._clock.now())
        self._seen = self._health.changes

    async def run(self) -> None:
        """Write the file a little after anything changed, until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            if self._health.changes != self._seen:
                self._seen = self._health.changes
                rows = self.rows()
                if rows != self._written:
                    await asyncio.to_thread(self._write, rows)

    def save(self) -> None:
        """Write what was not written yet. Never raises."""
        rows = self.rows()
        if rows != self._written:
            self._write(rows)

    def rows(self) -> tuple[Row, ...]:
        """What is to be kept."""
        now, known = self._clock.now(), self._fingerprints()
        offset = self._clock.time() - now
        return tuple(
            _row(one, offset, known[one.place.account])
            for one in self._health.resting(now)
            if (one.hinted or one.kind is Kind.CREDENTIAL_REVOKED) and one.place.account in known
        )

    def _known(self, fingerprints: Mapping[Place, str]) -> Iterator[Resting]:
        """What was kept, as far as it is not over and its key is the same."""
        now = self._clock.now()
        offset = now - self._clock.time()
        for row in self._written:
            same = fingerprints.get(Place(row.provider, row.key)) == row.fingerprint
            if same and row.kind in _KINDS and row.until + offset > now:
                yield _resting(row, offset, now)

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


def _row(one: Resting, offset: float, fingerprint: str) -> Row:
    return Row(
        provider=one.place.provider,
        key=one.place.credential,
        model=one.place.model,
        kind=one.kind,
        since=round(one.since + offset, 1),
        until=round(one.until + offset, 1),
        failures=one.failures,
        fingerprint=fingerprint,
    )


def _resting(row: Row, offset: float, now: float) -> Resting:
    until = row.until + offset
    return Resting(
        place=Place(row.provider, row.key, row.model),
        kind=Kind(row.kind),
        until=until,
        failures=row.failures,
        hinted=row.kind != Kind.CREDENTIAL_REVOKED,
        since=row.since + offset,
        tried_at=now + TRY_EVERY if until - now > TRY_EVERY else None,
        cause="known from before the restart",
    )
