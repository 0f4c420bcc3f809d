"""Watches a stream that is passed through: every byte goes on unchanged.

Only the few events that tell usage, the end or an error are opened. Reading is the same as that of
a decoded stream, so both give the same usage.
"""

from collections.abc import Callable, Mapping

from msgspec import Raw

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.anthropic.errors import read_told
from isthmus.dialects.anthropic.messages.usage import merge_counts, read_usage, usage_fields
from isthmus.wire.frames import MAX_FRAME, FrameTooLarge
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.sse import SseSplitter

_END = b"\n\n"
_TEXTS = ("text", "text_delta")
_PLAIN_ENDS = (None, "end_turn")


def _is_marked(events: bytes) -> bool:
    """May there be something to know? In a text the quotes around these words are escaped."""
    return b'"usage"' in events or b'"message_stop"' in events or b'"error"' in events


class MessagesTap:
    """Holds the unfinished tail, in pieces, so that a cut inside a word hides nothing."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.complete = False
        self.error: GatewayError | None = None
        self.started = False
        self._counts: dict[str, Raw] = {}
        self._stopping = False
        self._tail: list[bytes] = []
        self._held = 0
        self._splitter: SseSplitter | None = None

    def feed(self, data: bytes) -> bytes:
        if self._splitter is not None or b"\r" in data:
            self._split(data)
        elif not self._tail and data.endswith(_END):
            self._look(data)
        else:
            self._gather(data)
        return data

    def end(self) -> bytes:
        """The last event counts, even when the blank line behind it never came."""
        self._split(b"")
        for frame in self._splitter.end() if self._splitter is not None else ():
            self._open(frame.data)
        self.complete = self.complete or (self._stopping and self.error is None)
        return b""

    def _gather(self, data: bytes) -> None:
        """Whole events are looked at; what is behind the last of them waits."""
        joint = self._tail[-1][-1:] + data if self._tail else data
        self._tail.append(data)
        self._held += len(data)
        if _END not in joint:
            self._bound()
            return
        head, _, tail = b"".join(self._tail).rpartition(_END)
        self._tail = [tail] if tail else []
        self._held = len(tail)
        self._look(head + _END)

    def _bound(self) -> None:
        """An event longer than any provider sends is not watched: its beginning is let go."""
        if self._held > MAX_FRAME:
            self._tail, self._held = [], 0

    def _look(self, events: bytes) -> None:
        if self.started and not _is_marked(events):
            return
        for frame in SseSplitter(max_frame=len(events)).feed(events):
            if not self.started or _is_marked(frame.data):
                self._open(frame.data)

    def _split(self, data: bytes) -> None:
        """The careful way, for line ends other than LF and for the end of the stream."""
        if self._splitter is None:
            self._splitter = SseSplitter()
            data = b"".join(self._tail) + data
            self._tail = []
        try:
            for frame in self._splitter.feed(data):
                if not self.started or _is_marked(frame.data):
                    self._open(frame.data)
        except FrameTooLarge:
            self._splitter = SseSplitter()

    def _open(self, data: bytes) -> None:
        if self.error is not None or self.complete:
            return
        try:
            fields = Fields(data)
            read = _EVENTS.get(fields.text("type") or "")
            if read is not None:
                read(self, fields)
        except Malformed:
            return

    def _start(self, fields: Fields) -> None:
        message = fields.fields("message")
        if message is not None:
            self._count(message.raw("usage"))

    def _block(self, fields: Fields) -> None:
        self._say(fields.fields("content_block"))

    def _answer(self, fields: Fields) -> None:
        self._say(fields.fields("delta"))

    def _say(self, said: Fields | None) -> None:
        """A text without a word is no answer yet."""
        if not self.started:
            self.started = said is None or said.text("type") not in _TEXTS or said.text("text") != ""

    def _delta(self, fields: Fields) -> None:
        delta = fields.fields("delta")
        reason = None if delta is None else delta.text("stop_reason")
        self.started = self.started or reason not in _PLAIN_ENDS
        self._stopping = self._stopping or reason is not None
        self._count(fields.raw("usage"))

    def _stop(self, _: Fields) -> None:
        self.complete = True

    def _error(self, fields: Fields) -> None:
        self.error = read_told(fields)

    def _count(self, usage: Raw | None) -> None:
        if counts := usage_fields(usage):
            self._counts = merge_counts(self._counts, counts)
            self.usage = read_usage(self._counts)


_EVENTS: Mapping[str, Callable[[MessagesTap, Fields], None]] = {
    "message_start": MessagesTap._start,
    "content_block_start": MessagesTap._block,
    "content_block_delta": MessagesTap._answer,
    "message_delta": MessagesTap._delta,
    "message_stop": MessagesTap._stop,
    "error": MessagesTap._error,
}


def tap(_: bool) -> MessagesTap:
    """This dialect always tells its usage, so none is ever hidden."""
    return MessagesTap()
