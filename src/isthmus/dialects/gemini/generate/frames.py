"""How the chunks of a stream stand behind one another: as events, or as the items of one JSON array."""

from typing import Protocol

from isthmus.wire.sse import write_data


class Frames(Protocol):
    """One stream's framing, as it is written."""

    def chunk(self, body: bytes) -> bytes:
        """One chunk. `body` is on one line."""
        ...

    def close(self) -> bytes:
        """What follows the last chunk."""
        ...


class EventFrames:
    """Server-sent events, without an end mark."""

    opens = False

    def chunk(self, body: bytes) -> bytes:
        return write_data(body)

    def close(self) -> bytes:
        return b""


class ArrayFrames:
    """The items of an array. It is opened with the first chunk."""

    opens = True

    def __init__(self) -> None:
        self._begun = False

    def chunk(self, body: bytes) -> bytes:
        start, self._begun = (b",\r\n" if self._begun else b"["), True
        return start + body

    def close(self) -> bytes:
        return b"]" if self._begun else b"[]"
