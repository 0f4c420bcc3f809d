"""A stream as one JSON array, whose elements come one by one.

Cuts the text by its brackets and strings and looks into nothing: an element that is no valid JSON
is a frame all the same. A body that is no array but one object is one frame.

Source: RFC 8259. Gemini streams so without `alt=sse` (https://ai.google.dev/api/generate-content).
"""

import re
from collections.abc import Iterator, Sequence

from isthmus.wire.frames import MAX_FRAME, Frame, FrameTooLarge

_OUTSIDE = re.compile(rb'["{}\[\]]')
_INSIDE = re.compile(rb'["\\]')


class _Scanner:
    """Where elements begin and end, wherever the network cut them. Every byte is looked at once.

    `_base` is the depth at which elements stand: 1 inside an array, 0 where there is none.
    """

    def __init__(self) -> None:
        self.inside = False
        self._base = 0
        self._depth = 0
        self._begun = False
        self._in_text = False
        self._escaped = False

    def scan(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each element that `data` completes; the start is 0 for one that began in an earlier read.

        While an element is open at the end of `data`, `inside` is true and (start, len(data)) comes last.
        """
        start = at = 0
        while at < len(data):
            if self._in_text:
                at = self._pass_text(data, at)
                continue
            found = _OUTSIDE.search(data, at)
            if found is None:
                break
            at = found.end()
            was = self.inside
            self._step(data[found.start()])
            if self.inside and not was:
                start = found.start()
            elif was and not self.inside:
                yield start, at
        if self.inside:
            yield start, len(data)

    def _pass_text(self, data: bytes, at: int) -> int:
        """The place behind the end of the string, or the end of the data."""
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _INSIDE.search(data, at)
        if found is None:
            return len(data)
        if data[found.start()] == ord("\\"):
            self._escaped = True
        else:
            self._in_text = False
        return found.end()

    def _step(self, char: int) -> None:
        if char == ord('"'):
            self._in_text = True
            return
        if char in b"{[":
            if not self._begun and char == ord("["):
                self._base = 1
            elif self._depth == self._base:
                self.inside = True
            self._begun = True
            self._depth += 1
            return
        self._depth = max(0, self._depth - 1)
        if self._depth <= self._base:
            self.inside = False


class JsonArraySplitter:
    """Each object or array in the outer array is a frame. Holds the unfinished element, which is bounded."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._scanner = _Scanner()
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Sequence[Frame]:
        frames: list[Frame] = []
        pieces = list(self._scanner.scan(data))
        whole = pieces[:-1] if self._scanner.inside else pieces
        for start, end in whole:
            self._hold(data[start:end])
            frames.append(Frame(b"", b"".join(self._held)))
            self._held, self._size = [], 0
        if self._scanner.inside:
            self._hold(data[pieces[-1][0] :])
        return frames

    def end(self) -> Sequence[Frame]:
        """Nothing: an element without its end is no JSON."""
        self._held, self._size = [], 0
        return ()

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        if self._size > self._max:
            raise FrameTooLarge(f"an element of more than {self._max} bytes")


class ArrayGate:
    """Lets bytes through up to the end of the last whole element, and holds the rest until its end comes."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._scanner = _Scanner()
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        pieces = list(self._scanner.scan(data))
        if not self._scanner.inside:
            return self._release(data)
        start = pieces[-1][0]
        if len(pieces) > 1 or start:
            out = self._release(data[:start])
            self._hold(data[start:])
            return out
        self._hold(data)
        return b""

    def end(self) -> bytes:
        """What is still held: the beginning of an element whose end never came."""
        return self._release(b"")

    def _release(self, data: bytes) -> bytes:
        out = b"".join([*self._held, data])
        self._held, self._size = [], 0
        return out

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._size += len(piece)
        if self._size > self._max:
            raise FrameTooLarge(f"an element of more than {self._max} bytes")
