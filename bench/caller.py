"""A client that knows what it asked for, and so whether it was answered rightly. It may leave in the middle."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httptools

from bench.answers import PIECE, TEXT
from bench.bodies import Dialect, Json
from bench.faults import PIECES, Fate

PATIENCE = 30.0
"""Seconds after which a request counts as never answered."""
SOON = 0.2
"""Seconds after which a client leaves that does not wait for its answer."""


class Leaving(StrEnum):
    """When a client leaves that does not stay for its whole answer."""

    NEVER = "never"
    BEFORE = "before"
    MIDWAY = "midway"


@dataclass(frozen=True)
class Case:
    """One kind of request. `name` is for people."""

    name: str
    request: bytes
    dialect: Dialect
    streamed: bool
    fate: Fate
    leaving: Leaving

    @property
    def stays(self) -> bool:
        """Whether the answer is waited for and judged."""
        return self.leaving is Leaving.NEVER and self.fate is not Fate.HANG


Done = Callable[["Caller", Case, str], None]
"""Told at the end of each request: what was wrong with its answer, "" when nothing was."""


class Caller(asyncio.Protocol):
    """One keep-alive connection. `alive` tells whether it can ask again."""

    def __init__(self, done: Done) -> None:
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._case: Case | None = None
        self._body: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, case: Case) -> None:
        assert self._transport is not None
        self._case, self._body = case, []
        self._transport.write(case.request)
        waits = PATIENCE if case.stays or case.leaving is Leaving.MIDWAY else SOON
        self._timer = self._loop.call_later(waits, self._give_up)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # uvloop's class is not a subclass

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        if self._case is not None:
            self._end("the connection was closed before the end of the answer")

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"not HTTP: {error}")
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        if self._case is not None and self._case.leaving is Leaving.MIDWAY and len(self._body) == PIECES // 3:
            self._leave()

    def on_message_complete(self) -> None:
        if self._case is not None:
            status, body = self._parser.get_status_code(), b"".join(self._body)
            self._end(judge(self._case, status, body) if self._case.stays else "")
        if not self._parser.should_keep_alive():
            self.close()

    def _give_up(self) -> None:
        if self._case is not None and self._case.stays:
            self._end(f"no answer within {PATIENCE:g} s")
            self.close()
        else:
            self._leave()

    def _leave(self) -> None:
        self._end("")
        self.close()

    def _end(self, wrong: str) -> None:
        case, self._case = self._case, None
        if self._timer is not None:
            self._timer.cancel()
        if case is not None:
            self._done(self, case, wrong if case.stays else "")


def judge(case: Case, status: int, body: bytes) -> str:
    """What is wrong with the answer, "" when nothing is."""
    match case.fate:
        case Fate.LIMIT:
            return "" if status == 429 and _tells_error(body) else f"{status} for a rate limit: {body[:200]!r}"
        case Fate.TRUNCATE if case.streamed and status == 200:
            return "" if b"error" in body and not _ended(case.dialect, body) else "a cut stream ended like a good one"
        case Fate.FAULT | Fate.RESET | Fate.TRUNCATE:
            return "" if status >= 500 and _tells_error(body) else f"{status} for a failed provider: {body[:200]!r}"
    if status != 200:
        return f"{status}: {body[:200]!r}"
    text = _streamed_text(case.dialect, body) if case.streamed else _whole_text(case.dialect, json.loads(body))
    expected = PIECE * PIECES if case.streamed else TEXT
    if text != expected:
        return f"{len(text)} characters of text, not the {len(expected)} that were sent"
    return "" if not case.streamed or _ended(case.dialect, body) else "the stream has no end"


def _tells_error(body: bytes) -> bool:
    return bool(json.loads(body).get("error", {}).get("message"))


def _ended(dialect: Dialect, body: bytes) -> bool:
    return (b"data: [DONE]" if dialect is Dialect.OPENAI else b'"type":"message_stop"') in body


def _whole_text(dialect: Dialect, document: Json) -> str:
    if dialect is Dialect.OPENAI:
        return str(document["choices"][0]["message"]["content"])
    return "".join(block["text"] for block in document["content"])


def _streamed_text(dialect: Dialect, body: bytes) -> str:
    lines = (line[6:] for line in body.split(b"\n") if line.startswith(b"data: {"))
    return "".join(_PIECES[dialect](json.loads(line)) for line in lines)


def _openai_piece(chunk: Json) -> str:
    choices: Sequence[Json] = chunk.get("choices", ())
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def _anthropic_piece(event: Json) -> str:
    return str(event.get("delta", {}).get("text", ""))


_PIECES: Mapping[Dialect, Callable[[Json], str]] = {
    Dialect.OPENAI: _openai_piece,
    Dialect.ANTHROPIC: _anthropic_piece,
}
