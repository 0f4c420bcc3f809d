"""How each framing is cut, held back to whole frames, and known by its content type: one line a framing."""

from collections.abc import Callable, Mapping

from isthmus.wire.event_stream import EventStreamGate, EventStreamSplitter
from isthmus.wire.frames import Framing, Gate, Splitter
from isthmus.wire.json_array import ArrayGate, JsonArraySplitter
from isthmus.wire.ndjson import LineGate, LineSplitter
from isthmus.wire.sse import EventGate, SseSplitter

SPLITTERS: Mapping[Framing, Callable[[], Splitter]] = {
    Framing.SSE: SseSplitter,
    Framing.NDJSON: LineSplitter,
    Framing.JSON_ARRAY: JsonArraySplitter,
    Framing.EVENT_STREAM: EventStreamSplitter,
}

GATES: Mapping[Framing, Callable[[], Gate]] = {
    Framing.SSE: EventGate,
    Framing.NDJSON: LineGate,
    Framing.JSON_ARRAY: ArrayGate,
    Framing.EVENT_STREAM: EventStreamGate,
}

ENDINGS: Mapping[Framing, tuple[bytes, ...]] = {
    Framing.SSE: (b"\n\n", b"\r\n\r\n"),
    Framing.NDJSON: (b"\n",),
    Framing.JSON_ARRAY: (b"",),
    Framing.EVENT_STREAM: (),
}
"""Last bytes after which something may stand between two frames. An array's writer writes whole items only."""

CONTENT_TYPES: Mapping[Framing, bytes] = {
    Framing.SSE: b"text/event-stream",
    Framing.NDJSON: b"application/x-ndjson",
    Framing.JSON_ARRAY: b"application/json",
    Framing.EVENT_STREAM: b"application/vnd.amazon.eventstream",
}
"""By which an answer is known to be a stream of this framing."""
