"""Content codings undone as the bytes come: gzip and deflate, in bounded pieces.

Neither is asked for, but some servers compress regardless. Everything else is refused by name.
"""

import zlib

from isthmus.core.errors import GatewayError, Kind

PIECE = 256 * 1024
"""Bytes given out at once at most, however well they were compressed."""
_WBITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_RAW_DEFLATE = -15


def decoder_for(coding: bytes) -> "Decoder | None":
    """What undoes a `content-encoding`; None where there is nothing to undo. Raises GARBLED for others."""
    word = coding.strip().lower()
    if word in (b"", b"identity"):
        return None
    if word not in _WBITS:
        named = coding.decode("ascii", "replace")[:40]
        raise GatewayError(Kind.GARBLED, f"its body is encoded as {named!r}, which was not asked for")
    return Decoder(word)


class Decoder:
    """One body. `feed` what came, `take` until it gives b"", and `end` when no more comes."""

    __slots__ = ("_coding", "_full", "_started", "_wire", "_zlib")

    def __init__(self, coding: bytes) -> None:
        self._coding = coding
        self._wire = b""
        self._started = self._full = False
        self._zlib = zlib.decompressobj(_WBITS[coding])

    def feed(self, data: bytes) -> None:
        self._wire += data

    def take(self) -> bytes:
        """Up to PIECE bytes of what was fed; b"" when more is needed. Raises GARBLED."""
        if not self._started and not self._start():
            return b""
        while self._wire or self._full:
            if self._zlib.eof:
                self._begin_next_member()
            try:
                out = self._zlib.decompress(self._wire, PIECE)
            except zlib.error as error:
                raise GatewayError(Kind.GARBLED, f"its {self._coding.decode()} body is damaged") from error
            self._wire = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
            self._full = len(out) == PIECE and not self._zlib.eof
            if out:
                return out
        return b""

    def end(self) -> None:
        """Raises CUT_SHORT when the compressed stream is not at its own end; no body at all is a fine one."""
        if (self._started or self._wire) and not self._zlib.eof:
            raise GatewayError(Kind.CUT_SHORT, f"its {self._coding.decode()} body stops in the middle")

    def _start(self) -> bool:
        """Look at the first two bytes: many servers say deflate and send it without its zlib wrapper."""
        if len(self._wire) < 2:
            return False
        self._started = True
        first, second = self._wire[0], self._wire[1]
        wrapped = first & 0x0F == 8 and (first << 8 | second) % 31 == 0
        if self._coding == b"deflate" and not wrapped:
            self._zlib = zlib.decompressobj(_RAW_DEFLATE)
        return True

    def _begin_next_member(self) -> None:
        """A gzip body may be several files in a row (RFC 1952, section 2.2)."""
        if self._coding == b"deflate":
            raise GatewayError(Kind.GARBLED, "its deflate body is followed by other bytes")
        self._zlib = zlib.decompressobj(_WBITS[self._coding])
