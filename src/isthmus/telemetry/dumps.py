"""A file about each of the latest exchanges that failed, for whoever looks for the reason: facts, tries, the request's
head and the provider's refusal. Nothing of the conversation but what the provider repeats of it, and no secret.

Files are written by a thread of their own. Where many fail at once, only some of them have one.
"""

import logging
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from isthmus import __version__
from isthmus.core.errors import GatewayError, Kind, UpstreamWords
from isthmus.core.value import Value
from isthmus.engine.exchange import Exchange
from isthmus.engine.facts import Facts, facts
from isthmus.engine.known_secrets import known_secrets
from isthmus.engine.live import Live
from isthmus.engine.logs import Dump
from isthmus.providers.key_guard import MASK
from isthmus.telemetry.redaction import Redactor
from isthmus.wire import json

KEPT = 100
AT_ONCE = 4
"""Exchanges of one batch that have a file."""
WAITING = 32
"""Files at most that wait to be written."""
LONGEST = 64 * 1024
"""Bytes of a provider's refusal."""
CAUSES = 8
SHOWN = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"anthropic-beta", b"anthropic-version", b"connection",
        b"content-encoding", b"content-length", b"content-type", b"host", b"openai-beta", b"traceparent",
        b"transfer-encoding", b"user-agent", b"x-goog-api-client", b"x-isthmus-on-loss", b"x-request-id",
    }
)  # fmt: skip
"""Headers that are shown as they came; of all others, only that they came."""
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}-ex_[0-9a-f]{1,64}\.json")

log = logging.getLogger(__name__)


class Refusal(Value, frozen=True):
    """What the provider answered, where its words may be told."""

    dialect: str
    status: int
    body: str


class Failure(Value, frozen=True, omit_defaults=True, kw_only=True):
    """What a file holds. `message` is the whole of what `exchange` tells the beginning of; `causes` led to it."""

    version: str
    at: str
    exchange: Facts
    message: str
    status: int
    upstream_status: int | None = None
    retry_after: float | None = None
    param: str | None = None
    code: str | None = None
    causes: tuple[str, ...] = ()
    peer: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    refusal: Refusal | None = None


class DumpFolder:
    """Implements the engine's Dumps. `skipped` counts those who failed and have no file."""

    def __init__(self, folder: Path, redactor: Redactor, live: Live, *, kept: int = KEPT) -> None:
        self.skipped = 0
        self._live = live
        self._folder = folder
        self._redactor = redactor
        self._kept = kept
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "isthmus-dumps")

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """Write about those that failed. Never blocks and never raises."""
        failed = [one for one in exchanges if one.error is not None]
        for exchange in failed[:AT_ONCE]:
            if self._waiting < WAITING:
                self._waiting += 1
                self._thread.submit(self._write, exchange)
            else:
                self.skipped += 1
        self.skipped += len(failed[AT_ONCE:])

    def close(self) -> None:
        """Write what waits."""
        self._thread.shutdown()

    def names(self) -> Sequence[Dump]:
        try:
            found = sorted((one.name for one in os.scandir(self._folder) if _NAME.fullmatch(one.name)), reverse=True)
        except FileNotFoundError:
            return ()
        return tuple(Dump(name=name, at=_time(name), bytes=self._size(name)) for name in found)

    def read(self, name: str) -> bytes:
        if _NAME.fullmatch(name) is not None:
            try:
                return (self._folder / name).read_bytes()
            except FileNotFoundError:
                pass
        raise GatewayError(Kind.UNKNOWN_PATH, "there is no dump of this name; GET /admin/dumps lists them")

    def _size(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_size
        except FileNotFoundError:
            return 0

    def _write(self, exchange: Exchange) -> None:
        try:
            at = datetime.fromtimestamp(exchange.at, UTC)
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}-{exchange.id}.json"
            part = path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(json.encode(self._told(exchange, at)))
            part.replace(path)
            for old in self.names()[self._kept :]:
                (self._folder / old.name).unlink(missing_ok=True)
        except OSError:
            self.skipped += 1
        except Exception:
            log.exception("there is no dump of exchange %s, by a fault of the gateway", exchange.id)
            self.skipped += 1
        finally:
            self._waiting -= 1

    def _told(self, exchange: Exchange, at: datetime) -> object:
        assert exchange.error is not None  # noqa: S101  as it was chosen
        told: object = json.decode(json.encode(_failure(exchange, exchange.error, at)))
        known = known_secrets(exchange, self._live.take().snapshot)
        return _cleaned(told, partial(self._redactor.clean, known=known))


def _failure(exchange: Exchange, error: GatewayError, at: datetime) -> Failure:
    words, call = error.upstream, exchange.call
    told = facts(exchange, f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z")
    return Failure(
        version=__version__,
        at=told.at,
        exchange=told,
        message=error.message,
        status=error.status,
        upstream_status=error.upstream_status,
        retry_after=error.retry_after,
        param=error.param,
        code=error.code,
        causes=_causes(error),
        peer=call.peer,
        headers=tuple(_header(name, value) for name, value in call.headers),
        refusal=None if words is None else _refusal(words),
    )


def _cleaned(told: object, clean: Callable[[str], str]) -> object:
    """The same, every text in it clean."""
    match told:
        case str():
            return clean(told)
        case list():
            return [_cleaned(one, clean) for one in told]
        case dict():
            return {name: _cleaned(one, clean) for name, one in told.items()}
        case _:
            return told


def _header(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1"), value.decode("latin-1") if name in SHOWN else MASK


def _refusal(words: UpstreamWords) -> Refusal:
    return Refusal(words.dialect, words.status, words.body[:LONGEST].decode(errors="replace"))


def _causes(error: BaseException) -> tuple[str, ...]:
    found: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(found) < CAUSES:
        found.append(f"{type(cause).__name__}: {cause}"[:1000])
        cause = cause.__cause__ or cause.__context__
    return tuple(found)


def _time(name: str) -> float:
    return datetime.strptime(name[:19], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC).timestamp()
