"""How an answer's body is delimited and coded, read from its headers.

llhttp already refuses conflicting, repeated and malformed lengths. What it tolerates and
a pooled connection must not is refused here.
"""

from typing import NamedTuple

from isthmus.transport.decode import Decoder, decoder_for
from isthmus.wire.headers import Headers

HEAD_BYTES = 64 * 1024
"""Bytes of an answer's head, and of anything else that is not body."""
HEAD_COUNT = 200
"""Headers of one answer."""
_TELLING = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})
_UNTRUE_ONCE_DECODED = frozenset({b"content-length", b"content-encoding"})


class Refusal(Exception):
    """The answer is not one that may be trusted; the message says why."""


class Framing(NamedTuple):
    """`delimited`: the body tells its own end. Otherwise the end of the connection is the end of the body."""

    delimited: bool
    chunked: bool
    decoder: Decoder | None


_BY_LENGTH = Framing(delimited=True, chunked=False, decoder=None)


def read_framing(headers: Headers) -> Framing:
    telling = [pair for pair in headers if pair[0] in _TELLING]
    if len(telling) == 1 and telling[0][0] == b"content-length":
        return _BY_LENGTH
    encodings = [value for name, value in telling if name == b"transfer-encoding"]
    if encodings and (len(encodings) > 1 or encodings[0].lower() != b"chunked"):
        raise Refusal("its transfer-encoding is not just 'chunked'")
    codings = [value for name, value in telling if name == b"content-encoding"]
    return Framing(
        delimited=len(telling) > len(codings),
        chunked=bool(encodings),
        decoder=decoder_for(b", ".join(codings)),
    )


def without_coding(headers: Headers) -> Headers:
    """The headers that stay true of a decoded body."""
    return tuple(pair for pair in headers if pair[0] not in _UNTRUE_ONCE_DECODED)


def check_size(headers: Headers, arrived: int) -> None:
    """Refuse a head beyond its bounds. `arrived` bytes have come so far, so only then is it worth counting."""
    if len(headers) > HEAD_COUNT:
        raise Refusal(f"it has more than {HEAD_COUNT} headers")
    if arrived > HEAD_BYTES and sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_BYTES:
        raise Refusal(f"its head is longer than {HEAD_BYTES} bytes")
