"""How the chunks of a stream stand behind one another: as events, or as the items of one JSON array."""

from isthmus.wire.json import encode, encode_line
from isthmus.wire.sse import write_data


class EventFrames:
    """Server-sent events, without an end mark. Each holds one line."""

    opens = False
    encode = staticmethod(encode_line)

    def chunk(self, body: bytes) -> bytes:
        return write_data(body)

    def close(self) -> bytes:
        return b""


class ArrayFrames:
    """The items of an array. It `opens` at once: an error behind it is told as one item more."""

    opens = True
    encode = staticmethod(encode)

    def __init__(self) -> None:
        self._begun = False

    def chunk(self, body: bytes) -> bytes:
        start, self._begun = (b",\r\n" if self._begun else b"["), True
        return start + body

    def close(self) -> bytes:
        return b"]" if self._begun else b"[]"
