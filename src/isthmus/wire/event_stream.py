"""Amazon's event stream: binary messages of headers and a payload, each guarded by two checksums.

A message is a prelude (its whole length, the length of its headers, the CRC32 of these eight bytes), the
headers, the payload, and the CRC32 of all before it; numbers are big-endian. Holds no dialect: a frame's event is
the message's `:event-type`, and what the sender tells as an exception or error is marked by `EXCEPTION`. What fails
a checksum is one frame named GARBLED, and nothing behind it is read: where the next message begins is not known.

Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream (the
encoding), https://smithy.io/2.0/aws/amazon-eventstream.html (the message types).
"""

import struct
from collections.abc import Mapping, Sequence
from zlib import crc32

from isthmus.wire import json
from isthmus.wire.frames import MAX_FRAME, Frame, FrameTooLarge

EXCEPTION = b"exception:"
"""Opens the event of a frame that tells a failure; the name of the failure follows. No event's type holds a colon."""
GARBLED = b"garbled:"
"""The event of a frame that is no whole, sound message. Its data says why, in words."""

_PRELUDE = struct.Struct(">III")
_LEAST = _PRELUDE.size + 4
"""Bytes of a message without headers and payload."""
_TEXT = 7
_LENGTHS: Mapping[int, int] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type; types 6 and 7 tell their length in two bytes of their own."""


class _Broken(Exception):
    """What came is no message of this framing."""


class _Cutter:
    """Whole messages out of bytes in any pieces. `broken` says why no more can be cut out; None while all is well."""

    def __init__(self, max_frame: int) -> None:
        self.broken: str | None = None
        self._max = max_frame
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, none behind a broken prelude. Raises FrameTooLarge."""
        self._tail += data
        messages: list[bytes] = []
        at = 0
        try:
            while (length := self._length(at)) is not None and len(self._tail) - at >= length:
                messages.append(bytes(self._tail[at : at + length]))
                at += length
        except _Broken as broken:
            self.broken = str(broken)
        del self._tail[:at]
        return messages

    def rest(self) -> bytes:
        """What is held: the beginning of a message, or what is none."""
        rest = bytes(self._tail)
        self._tail.clear()
        return rest

    def _length(self, at: int) -> int | None:
        """The length of the message that begins there; None while its prelude is not complete."""
        if len(self._tail) - at < _PRELUDE.size:
            return None
        length, headers, checksum = _PRELUDE.unpack_from(self._tail, at)
        if crc32(self._tail[at : at + 8]) != checksum:
            raise _Broken("the checksum of a message's prelude does not match")
        if length < _LEAST or headers > length - _LEAST:
            raise _Broken("the lengths in a message's prelude do not fit each other")
        if length > self._max:
            raise FrameTooLarge(f"a message of more than {self._max} bytes")
        return int(length)


class EventStreamSplitter:
    """Cuts a byte stream into messages, wherever the network cut it."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._cutter = _Cutter(max_frame)
        self._over = False

    def feed(self, data: bytes) -> Sequence[Frame]:
        if self._over:
            return ()
        frames: list[Frame] = []
        try:
            frames.extend(_read_message(message) for message in self._cutter.feed(data))
            if self._cutter.broken is not None:
                raise _Broken(self._cutter.broken)
        except _Broken as broken:
            self._over = True
            frames.append(Frame(GARBLED, str(broken).encode()))
        return frames

    def end(self) -> Sequence[Frame]:
        """A message that was cut off is none: whoever reads the stream knows that its end is missing."""
        return ()


class EventStreamGate:
    """Lets bytes through up to the end of the last whole message. Bytes are never changed.

    What is no message goes on as it comes, for whoever reads it to refuse.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._cutter = _Cutter(max_frame)

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on. Raises FrameTooLarge."""
        if self._cutter.broken is not None:
            return data
        whole = b"".join(self._cutter.feed(data))
        return whole if self._cutter.broken is None else whole + self._cutter.rest()

    def end(self) -> bytes:
        return self._cutter.rest()


def _read_message(message: bytes) -> Frame:
    if crc32(message[:-4]) != int.from_bytes(message[-4:]):
        raise _Broken("the checksum of a message does not match")
    end = _PRELUDE.size + int.from_bytes(message[4:8])
    headers = _read_headers(message[_PRELUDE.size : end])
    payload = message[end:-4]
    match headers.get(b":message-type", b"event"):
        case b"exception":
            return Frame(EXCEPTION + headers.get(b":exception-type", b""), payload)
        case b"error":
            told = json.encode({"message": headers.get(b":error-message", b"").decode(errors="replace")})
            return Frame(EXCEPTION + headers.get(b":error-code", b""), payload or told)
        case _:
            return Frame(headers.get(b":event-type", b""), payload)


def _read_headers(block: bytes) -> dict[bytes, bytes]:
    """Every header's value as its bytes. Raises _Broken for a block that does not end where its last header does."""
    headers: dict[bytes, bytes] = {}
    at = 0
    while at < len(block):
        name, at = _take(block, at + 1, block[at])
        kind, at = _take(block, at, 1)
        length = _LENGTHS.get(kind[0])
        if length is None:
            size, at = _take(block, at, 2)
            length = int.from_bytes(size)
        headers[name], at = _take(block, at, length)
    return headers


def _take(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(block):
        raise _Broken("a header reaches beyond the headers of its message")
    return block[at : at + length], at + length


def write_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message. Every header is text, as all of a stream's are; names and values are shorter than 128 bytes."""
    block = b"".join(_write_header(name.encode(), value.encode()) for name, value in headers.items())
    length = _LEAST + len(block) + len(payload)
    prelude = struct.pack(">II", length, len(block))
    message = b"".join((prelude, crc32(prelude).to_bytes(4), block, payload))
    return message + crc32(message).to_bytes(4)


def _write_header(name: bytes, value: bytes) -> bytes:
    return b"%c%b%c%b%b" % (len(name), name, _TEXT, len(value).to_bytes(2), value)


def write_event(event: str, payload: bytes) -> bytes:
    """One event whose payload is JSON."""
    kind = {":event-type": event, ":content-type": "application/json", ":message-type": "event"}
    return write_message(kind, payload)


def write_exception(name: str, payload: bytes) -> bytes:
    """One failure, told in place of an event."""
    kind = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return write_message(kind, payload)
