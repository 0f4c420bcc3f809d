"""Watches a stream that is passed through for its beginning, its usage, an error and its end.

Once the answer has begun, a read is searched for an error, and for what must be taken out; the rest is
looked at when somebody asks. A word inside a text is no find: there its quotes are escaped.
"""

import re
from collections import deque
from collections.abc import Sequence

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.openai.chat.shapes import Chunk, read_chunk
from isthmus.dialects.openai.chat.stream import DONE, usage_in
from isthmus.dialects.openai.chat.usage import read_usage
from isthmus.dialects.openai.errors import told_error
from isthmus.wire import json
from isthmus.wire.frames import MAX_FRAME, Frame
from isthmus.wire.json import DECODE_ERRORS, Malformed
from isthmus.wire.sse import SseSplitter

RECENT = 16
"""Reads that are kept to be looked at. Usage and the end of an answer stand in the last ones, or in every one."""
RECENT_BYTES = 64 * 1024
"""Bytes of them, beyond which only the last two are kept."""
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_HOLLOW = frozenset({b"null", b'""', b"[]", b"{}"})
_PLAIN_ENDS = _HOLLOW | {b'"stop"'}


class ChatTap:
    """Implements Tap. With `hide` it holds back unfinished frames, and takes out a chunk of usage alone."""

    def __init__(self, hide: bool) -> None:
        self.error: GatewayError | None = None
        self.started = False
        self._usage: Usage | None = None
        self._done = False
        self._speaking: set[int] = set()
        self._finished: set[int] = set()
        self._hide = hide
        self._tail = bytearray()
        self._recent: deque[bytes] = deque()
        self._kept = 0

    @property
    def usage(self) -> Usage | None:
        self._catch_up()
        return self._usage

    @property
    def complete(self) -> bool:
        """The end mark came, or every candidate that spoke gave its reason to stop."""
        self._catch_up()
        return self._done or bool(self._finished and self._speaking <= self._finished)

    def feed(self, data: bytes) -> bytes:
        whole = self._whole(data)
        if not whole:
            return b"" if self._hide else data
        if self.started and b'"error"' not in whole and not (self._hide and b"[]" in whole):
            self._keep(whole)
            return whole if self._hide else data
        self._catch_up()
        shown = self._look(whole)
        return shown if self._hide else data

    def end(self) -> bytes:
        self._catch_up()
        shown = self._look(bytes(self._tail))
        self._tail.clear()
        return shown if self._hide else b""

    def _keep(self, whole: bytes) -> None:
        recent = self._recent
        recent.append(whole)
        self._kept += len(whole)
        while len(recent) > RECENT or (self._kept > RECENT_BYTES and len(recent) > 2):
            self._kept -= len(recent.popleft())

    def _catch_up(self) -> None:
        self._kept = 0
        while self._recent:
            whole = self._recent.popleft()
            if not (0 in self._speaking and _only_speaks(whole)):
                self._look(whole)

    def _whole(self, data: bytes) -> bytes:
        """The finished frames; the rest is kept. A frame costs its length, in however many reads it comes."""
        if self._tail:
            if not _ends_a_frame(bytes(self._tail[-3:]) + data):
                self._tail += data
                return self._let_go()
            data = bytes(self._tail) + data
            self._tail.clear()
        if data.endswith(b"\n\n"):
            return data
        if b"\r" in data:
            end = max((match.end() for match in _BLANK_LINE.finditer(data)), default=0)
        else:
            end = data.rfind(b"\n\n") + 2 if b"\n\n" in data else 0
        self._tail += data[end:]
        return data[:end] + self._let_go()

    def _let_go(self) -> bytes:
        """A tail that grows without end passes unread."""
        if len(self._tail) <= MAX_FRAME:
            return b""
        gone = bytes(self._tail)
        self._tail.clear()
        return gone

    def _look(self, whole: bytes) -> bytes:
        """Read frame by frame; what is left when the frames that the caller did not ask for are taken out."""
        shown, start = [], 0
        for end in (*(match.end() for match in _BLANK_LINE.finditer(whole)), len(whole)):
            piece = whole[start:end]
            if piece and not self._hides(piece):
                shown.append(piece)
            start = end
        return b"".join(shown)

    def _hides(self, piece: bytes) -> bool:
        """Note what one frame tells. Is it usage, and nothing else, that the caller did not ask for?"""
        splitter = SseSplitter(max_frame=len(piece))
        frames: Sequence[Frame] = (*splitter.feed(piece), *splitter.end())
        return any([self._note(frame) for frame in frames])

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
        usage = usage_in(chunk)
        if usage is not None:
            self._usage = read_usage(usage)
        for choice in chunk.choices or ():
            (self._finished if choice.finish_reason else self._speaking).add(choice.index or 0)
        self.started = self.started or _may_begin(frame)
        return self._hide and usage is not None and not chunk.choices


def _only_speaks(whole: bytes) -> bool:
    """Is this, for certain, nothing but more words of the first candidate? Most reads are, and need no reading."""
    return (
        whole.count(b'"finish_reason"') == whole.count(b'"finish_reason":null')
        and whole.count(b'"usage"') == whole.count(b'"usage":null')
        and whole.count(b'"index"') == whole.count(b'"index":0')
        and not any(mark in whole for mark in _TELLING)
    )


_TELLING = (b"[DONE]", b"event:", b'"error"', b'"x_groq"')


def _ends_a_frame(data: bytes) -> bool:
    return b"\n\n" in data or (b"\r" in data and _BLANK_LINE.search(data) is not None)


def _may_begin(frame: Frame) -> bool:
    """A frame with a damaged part that no shape names belongs to an answer too: the client is to judge it."""
    try:
        return _begins(frame)
    except Malformed:
        return True


def _begins(frame: Frame) -> bool:
    """Does a choice say more than who speaks, or that all is said? Asked of the first frames only."""
    choices = json.read_fields(frame.data).get("choices")
    if choices is None or choices == json.NULL:
        return False
    for item in json.read_items(choices):
        fields = json.read_fields(item)
        if bytes(fields.get("finish_reason", json.NULL)) not in _PLAIN_ENDS:
            return True
        delta = fields.get("delta", json.NULL)
        said = {} if delta == json.NULL else json.read_fields(delta)
        if any(name != "role" and bytes(value) not in _HOLLOW for name, value in said.items()):
            return True
    return False


def _read(frame: Frame) -> Chunk | None:
    """The chunk, as far as it can be read; None for what is none, which is the client's to judge."""
    try:
        return read_chunk(frame.data)
    except DECODE_ERRORS:
        pass
    try:
        told = frame.event == b"error" or "error" in json.read_fields(frame.data)
    except Malformed:
        return None
    return Chunk(error="") if told else None
