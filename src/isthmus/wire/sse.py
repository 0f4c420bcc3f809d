"""Server-sent events, as the WHATWG HTML standard defines the event stream format.

Line ends may be LF, CRLF or CR in what we read. Comments and the fields `id` and
`retry` carry nothing for us and are passed over.
"""

from collections.abc import Sequence

from isthmus.wire.frames import MAX_FRAME, Frame, FrameTooLarge

_MARK = b"\xef\xbb\xbf"
"""The byte order mark, which may open a stream."""


class SseSplitter:
    """Cuts a byte stream into events, wherever the network cut it. No byte is searched more than a few times.

    `_tail` is the unfinished event, with LF for every line end; it holds no blank line.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._tail = bytearray()
        self._plain = True
        self._after_cr = False

    def feed(self, data: bytes) -> Sequence[Frame]:
        if self._plain and b"\r" in data:
            self._plain = False
        if not self._plain:
            data = self._unify(data)
        end = data.find(b"\n\n")
        if not self._tail and end == len(data) - 2 and 0 <= end <= self._max:  # most reads: one whole event
            frame = _read_block(data[:end])
            return [] if frame is None else [frame]
        if self._tail:
            if b"\n\n" not in data and not (data.startswith(b"\n") and self._tail.endswith(b"\n")):
                self._keep(data)
                return ()
            data = bytes(self._tail) + data
            self._tail.clear()
        head, found, tail = data.rpartition(b"\n\n")
        self._keep(tail)
        if not found:
            return ()
        blocks = head.split(b"\n\n")
        if len(head) > self._max and max(map(len, blocks)) > self._max:
            raise self._too_large()
        return [frame for block in blocks if (frame := _read_block(block)) is not None]

    def end(self) -> Sequence[Frame]:
        """The last event, even when the blank line behind it never came: providers omit it."""
        frame = _read_block(bytes(self._tail))
        self._tail.clear()
        return () if frame is None else (frame,)

    def _keep(self, tail: bytes) -> None:
        self._tail += tail
        if len(self._tail) > self._max:
            raise self._too_large()

    def _too_large(self) -> FrameTooLarge:
        return FrameTooLarge(f"an event of more than {self._max} bytes")

    def _unify(self, data: bytes) -> bytes:
        """LF for every line end. A CR ends its line at once; an LF at the start of the next read belongs to it."""
        if not data:
            return data
        whole = data.removeprefix(b"\n") if self._after_cr else data
        self._after_cr = data.endswith(b"\r")
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class EventGate:
    """Lets bytes through up to the end of the last whole event, and holds the rest until its end comes.

    Bytes are never changed. What is held is bounded by `max_frame`.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._held: list[bytes] = []
        self._size = 0
        self._seam = b""

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on. Raises FrameTooLarge."""
        if not self._held and data.endswith(_BOUNDARIES):
            return data
        joined = self._seam + data
        cut = max(joined.rfind(mark) + len(mark) if mark in joined else 0 for mark in _BOUNDARIES) - len(self._seam)
        self._seam = joined[-3:]
        if cut <= 0:
            self._hold(data)
            return b""
        whole = b"".join([*self._held, data[:cut]])
        self._held, self._size = [], 0
        self._hold(data[cut:])
        return whole

    def end(self) -> bytes:
        """What is still held: the beginning of an event whose end never came."""
        held, self._held = b"".join(self._held), []
        return held

    def _hold(self, data: bytes) -> None:
        if data:
            self._held.append(data)
            self._size += len(data)
            if self._size > self._max:
                raise FrameTooLarge(f"an event of more than {self._max} bytes")


_BOUNDARIES = (b"\n\n", b"\r\n\r\n")


def _read_block(block: bytes) -> Frame | None:
    first, more, rest = block.partition(b"\n")
    if not more and first.startswith(b"data: "):
        return Frame(b"", first[6:])
    if first.startswith(b"event: ") and rest.startswith(b"data: ") and b"\n" not in rest:
        return Frame(first[7:], rest[6:])
    return _read_lines(block)


def _read_lines(block: bytes) -> Frame | None:
    event = b""
    pieces: list[bytes] = []
    for line in block.removeprefix(_MARK).split(b"\n"):
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
