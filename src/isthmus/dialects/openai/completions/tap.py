"""Watches a streamed completion that is passed through, for its beginning, its usage, an error and its end."""

import re
from collections.abc import Iterator

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.openai.completions.stream import DONE, Chunk, read_chunk, tells_error
from isthmus.dialects.openai.completions.usage import read_usage
from isthmus.dialects.openai.errors import told_error
from isthmus.wire.frames import MAX_FRAME, Frame
from isthmus.wire.json import DECODE_ERRORS
from isthmus.wire.sse import SseSplitter

_PLAIN_ENDS = (None, "", "stop")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")


class CompletionTap:
    """Implements Tap. With `hide` it holds back unfinished frames, and takes out a chunk of usage alone."""

    def __init__(self, hide: bool) -> None:
        self.usage: Usage | None = None
        self.error: GatewayError | None = None
        self.started = False
        self._hide = hide
        self._done = False
        self._speaking: set[int] = set()
        self._finished: set[int] = set()
        self._tail = bytearray()

    @property
    def complete(self) -> bool:
        """The end mark came, or every candidate that spoke gave its reason to stop."""
        return self._done or bool(self._finished and self._speaking <= self._finished)

    def feed(self, data: bytes) -> bytes:
        shown = self._look(self._whole(data))
        return shown if self._hide else data

    def end(self) -> bytes:
        rest = bytes(self._tail)
        self._tail.clear()
        shown = self._look(rest)
        return shown if self._hide else b""

    def _whole(self, data: bytes) -> bytes:
        """The finished frames; the rest is kept, and let go unread when it grows without end.

        What was searched before is not searched again, but for the few bytes that a blank line may have begun in.
        """
        seam = max(len(self._tail) - 3, 0)
        self._tail += data
        end = max((match.end() for match in _BLANK_LINE.finditer(self._tail, seam)), default=0)
        if not end and len(self._tail) > MAX_FRAME:
            end = len(self._tail)
        whole = bytes(self._tail[:end])
        del self._tail[:end]
        return whole

    def _look(self, whole: bytes) -> bytes:
        """Read frame by frame; what is left when the frames that the caller did not ask for are taken out."""
        return b"".join(piece for piece in _pieces(whole) if not self._hides(piece))

    def _hides(self, piece: bytes) -> bool:
        """Note what one frame tells. Is it usage, and nothing else, that the caller did not ask for?"""
        splitter = SseSplitter(max_frame=len(piece))
        return any([self._note(frame) for frame in (*splitter.feed(piece), *splitter.end())])

    def _note(self, frame: Frame) -> bool:
        data = frame.data.strip()
        if data == DONE:
            self._done = True
        if data in (DONE, b""):
            return False
        chunk = _read(frame)
        if chunk is None:
            self.started = True
            return False
        if chunk.error is not None or frame.event == b"error":
            self.error = self.error or told_error(frame.data)
            return False
        if chunk.usage is not None:
            self.usage = read_usage(chunk.usage)
        for choice in chunk.choices or ():
            (self._finished if choice.finish_reason else self._speaking).add(choice.index or 0)
            self.started = self.started or bool(choice.text) or choice.finish_reason not in _PLAIN_ENDS
        return self._hide and chunk.usage is not None and not chunk.choices


def _pieces(whole: bytes) -> Iterator[bytes]:
    start = 0
    for end in (*(match.end() for match in _BLANK_LINE.finditer(whole)), len(whole)):
        if end > start:
            yield whole[start:end]
        start = end


def _read(frame: Frame) -> Chunk | None:
    """The chunk; None for what is none, which is the client's to judge."""
    try:
        return read_chunk(frame.data)
    except DECODE_ERRORS:
        return Chunk(error="") if tells_error(frame) else None
