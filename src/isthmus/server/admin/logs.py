"""The latest lines of the log: read, cleared away, and followed while they are written."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing

from msgspec import Raw

from isthmus.core.value import Value
from isthmus.engine.logs import LEVELS, LogLine, LogQuery
from isthmus.server.admin.call import AdminCall, Flow, Media, Role, Row
from isthmus.server.admin.desk import Desk, logs_of
from isthmus.server.admin.queries import one_of, time, whole
from isthmus.server.admin.times import HOW, as_date
from isthmus.server.pages import Page
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

MOST = 1000
"""Lines that are told at once."""
MOST_NUMBER = 10**15
FORMATS = ("json", "text")
TEXT = b"text/plain; charset=utf-8"
PING = b": nothing new\n\n"


class Line(Value, frozen=True):
    """`fields` is the whole line, as it stands in a file of JSON; `text` the same for people."""

    number: int
    at: str
    level: str
    text: str
    fields: Raw


class Lines(Value, frozen=True):
    """`last` is the number of the latest line that there is: what to ask for lines `after`."""

    lines: tuple[Line, ...]
    last: int


class Cleared(Value, frozen=True):
    cleared: int


async def read(call: AdminCall, desk: Desk) -> Page:
    logs = logs_of(desk)
    last, found = logs.last, logs.lines(_query(call))
    if one_of(call, "format", FORMATS) == "text":
        return Page(200, "".join(f"{line.text}\n" for line in found).encode(errors="replace"), content_type=TEXT)
    return Page(200, json.encode(Lines(tuple(map(_told, found)), last)))


async def clear(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(Cleared(logs_of(desk).clear())))


async def stream(call: AdminCall, desk: Desk) -> Flow:
    """Without `after`, only what is written from now on."""
    logs = logs_of(desk)
    query = _query(call, _read_last(call.headers) or logs.last)
    write = _text_event if one_of(call, "format", FORMATS) == "text" else _json_event
    return Flow(_events(logs.follow(query), write))


async def _events(
    feed: AsyncGenerator[Sequence[LogLine], None], write: Callable[[LogLine], bytes]
) -> AsyncIterator[bytes]:
    async with aclosing(feed):
        async for lines in feed:
            yield b"".join(map(write, lines)) if lines else PING


def _json_event(line: LogLine) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (line.number, line.fields)


def _text_event(line: LogLine) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (line.number, line.text.replace("\r", " ").encode(errors="replace"))


def _told(line: LogLine) -> Line:
    return Line(line.number, as_date(line.at), line.level, line.text, Raw(line.fields))


def _read_last(headers: Headers) -> int:
    """Where a client was that comes again, by the header that browsers send then; 0 for one that does not say."""
    said = find(headers, b"last-event-id") or b""
    return int(said) if said.isdigit() and len(said) < len(str(MOST_NUMBER)) else 0


def _query(call: AdminCall, after: int = 0) -> LogQuery:
    return LogQuery(
        after=whole(call, "after", after, most=MOST_NUMBER),
        since=time(call, "since", 0.0),
        limit=whole(call, "limit", 100, least=1, most=MOST),
        level=one_of(call, "level", LEVELS),
        client=call.asked("client") or None,
        provider=call.asked("provider") or None,
        model=call.asked("model") or None,
    )


_WHICH: Mapping[str, str] = {
    "after": "Only lines with a higher number.",
    "level": f"Only lines that matter as much: {', '.join(LEVELS)}.",
    "provider": "Only lines of requests that this provider was asked last.",
    "model": "Only lines of requests for this model, by the name that was asked for or the provider's own.",
    "client": "Only lines of this client's requests.",
    "format": "json, or text: a line for people.",
}

ROWS = (
    Row(
        method="GET",
        path="/admin/logs",
        role=Role.VIEWER,
        handler=read,
        about="The latest lines of the log, the oldest first.",
        gives=Lines,
        query={
            **_WHICH,
            "since": f"Only lines written since then: {HOW}.",
            "limit": f"Lines at most, up to {MOST}; 100 without it.",
        },
    ),
    Row(
        method="DELETE",
        path="/admin/logs",
        role=Role.OPERATOR,
        handler=clear,
        about="Forget the lines that are kept in memory. Files stay as they are.",
        gives=Cleared,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/logs/stream",
        role=Role.VIEWER,
        handler=stream,
        about="Lines as they are written, as server-sent events; without `after`, from now on.",
        gives=Media("text/event-stream"),
        query=_WHICH,
    ),
)
