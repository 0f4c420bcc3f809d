"""How workers and their hub speak: MessagePack values, each behind its length, over a Unix socket.

A question is `[number, what, about]` and its answer `[number, found]`; number 0 means that no answer is wanted.
Both ends are of one release and start together, so there are no versions.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

LENGTH = 4
"""Bytes of the length before each message, the greatest first."""
MOST = 64 * 1024 * 1024
"""Bytes of one message."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class TooLong(Exception):
    """A message is longer than any that is meant."""


def frame(message: object) -> bytes:
    """The message as it is sent."""
    body = _encode(message)
    return len(body).to_bytes(LENGTH, "big") + body


class Frames:
    """Takes messages out of bytes that come in pieces. One per connection and direction."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages that `data` completes. Raises TooLong."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= LENGTH:
            end = LENGTH + int.from_bytes(buffer[:LENGTH], "big")
            if end > LENGTH + MOST:
                raise TooLong
            if len(buffer) < end:
                return
            body = bytes(buffer[LENGTH:end])
            del buffer[:end]
            yield _decode(body)
