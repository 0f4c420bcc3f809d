"""Server-sent events, as the WHATWG HTML standard defines the event stream format.

Line ends may be LF, CRLF or CR in what we read. Comments and the fields `id` and
`retry` carry nothing for us and are passed over.
"""

from collections.abc import Sequence

from isthmus.wire.frames import MAX_FRAME, Frame, FrameTooLarge


class SseSplitter:
    """Cuts a byte stream into events, wherever the network cut it."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._tail = b""
        self._plain = True

    def feed(self, data: bytes) -> Sequence[Frame]:
        data = self._tail + data if self._tail else data
        if self._plain and b"\r" in data:
            self._plain = False
        if not self._plain:
            data = self._normalise(data)
        head, found, self._tail = data.rpartition(b"\n\n")
        if len(self._tail) > self._max:
            raise FrameTooLarge(f"an event of more than {self._max} bytes")
        if not found:
            return ()
        return [frame for block in head.split(b"\n\n") if (frame := _read_block(block)) is not None]

    def end(self) -> Sequence[Frame]:
        """The last event, even when the blank line behind it never came: providers omit it."""
        tail, self._tail = self._tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), b""
        frame = _read_block(tail)
        return () if frame is None else (frame,)

    def _normalise(self, data: bytes) -> bytes:
        """LF for every line end. A CR at the very end waits: it may be half of a CRLF."""
        held = data.endswith(b"\r")
        body = data[:-1] if held else data
        return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if held else b"")


def _read_block(block: bytes) -> Frame | None:
    event = b""
    if block.startswith(b"data: ") and b"\n" not in block:
        return Frame(event, block[6:])
    pieces: list[bytes] = []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if name == b"data":
            pieces.append(value.removeprefix(b" "))
        elif name == b"event":
            event = value.removeprefix(b" ")
    return Frame(event, b"\n".join(pieces)) if pieces else None


def write_event(event: str, data: bytes) -> bytes:
    """One named event whose data holds no line break."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), data)


def write_data(data: bytes) -> bytes:
    """One event without a name whose data holds no line break."""
    return b"data: %b\n\n" % data
