"""Newline-delimited JSON: one document on each line, as Ollama streams it.

Source: https://github.com/ndjson/ndjson-spec. Line ends may be LF or CRLF in what we read; lines of nothing but
white space carry nothing and are passed over, so a space between two lines may keep a connection alive. Does not
look into the documents.
"""

from collections.abc import Sequence

from isthmus.wire.frames import MAX_FRAME, Frame, FrameTooLarge


class LineSplitter:
    """Cuts a byte stream into lines, wherever the network cut it. Each byte is searched once."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._held = _Held(max_frame)

    def feed(self, data: bytes) -> Sequence[Frame]:
        head, found, tail = data.rpartition(b"\n")
        if not found:
            self._held.add(data)
            return ()
        head = self._held.take(head)
        self._held.add(tail)
        lines = head.split(b"\n")
        if len(head) > self._max and max(map(len, lines)) > self._max:
            raise _too_large(self._max)
        return _frames(lines)

    def end(self) -> Sequence[Frame]:
        """The last line, even when its end never came."""
        return _frames([self._held.take(b"")])


class LineGate:
    """Lets bytes through up to the end of the last whole line, and holds the rest until its end comes."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._held = _Held(max_frame)

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on. Raises FrameTooLarge."""
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._held.add(data)
            return b""
        whole = self._held.take(data[:cut])
        self._held.add(data[cut:])
        return whole

    def end(self) -> bytes:
        """What is still held: the beginning of a line whose end never came."""
        return self._held.take(b"")


class _Held:
    """The beginning of a line, in the pieces in which it came."""

    __slots__ = ("_max", "_pieces", "_size")

    def __init__(self, max_frame: int) -> None:
        self._max = max_frame
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > self._max:
                raise _too_large(self._max)

    def take(self, rest: bytes) -> bytes:
        """All that was held, with `rest` behind it; nothing is held any more."""
        if not self._pieces:
            return rest
        whole = b"".join((*self._pieces, rest))
        self._pieces, self._size = [], 0
        return whole


def _frames(lines: Sequence[bytes]) -> list[Frame]:
    return [Frame(b"", line) for line in map(bytes.strip, lines) if line]


def _too_large(limit: int) -> FrameTooLarge:
    return FrameTooLarge(f"a line of more than {limit} bytes")
