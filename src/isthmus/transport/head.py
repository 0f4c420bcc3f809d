"""The head of an outgoing request as bytes, and what its lines may hold.

Refuses everything that could end a line early or start another request, and every
header that is the transport's own business.
"""

import re

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Origin, Outgoing
from isthmus.wire.headers import HOP_BY_HOP, Headers

_OURS = HOP_BY_HOP | {b"host", b"content-length", b"accept-encoding", b"expect"}
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})
_REMEMBERED = 256
"""Heads."""


def host_of(origin: Origin) -> str:
    """The bare name or address: an IPv6 literal without its brackets."""
    return origin.host.removeprefix("[").removesuffix("]")


def authority(origin: Origin) -> str:
    """`host` or `host:port` as a Host header and a URL spell it; the scheme's own port is left out."""
    host = host_of(origin)
    name = f"[{host.partition('%')[0]}]" if ":" in host else host
    return name if origin.port == {"http": 80, "https": 443}.get(origin.scheme) else f"{name}:{origin.port}"


class HeadWriter:
    """Writes heads for one origin. Those found sound are remembered: most requests repeat one but for its length."""

    __slots__ = ("_checked", "_fixed", "_host")

    def __init__(self, origin: Origin) -> None:
        try:
            host = authority(origin).encode("ascii")
        except UnicodeEncodeError:
            raise _unsendable("the host is not ASCII; write its IDNA form") from None
        self._host = host
        # identity, not gzip: a compressed stream waits in the sender's compressor, and passed-on bytes stay exact.
        self._fixed = b"host: %b\r\naccept-encoding: identity\r\nconnection: keep-alive" % host
        self._checked: dict[tuple[str, str, Headers], bytes] = {}

    def write(self, outgoing: Outgoing) -> bytes:
        """The head with its final empty line. Raises BUG for what must not be sent; values are never quoted."""
        key = (outgoing.method, outgoing.target, outgoing.headers)
        lines = self._checked.get(key)
        if lines is None:
            lines = self._lines(outgoing)
            if len(self._checked) >= _REMEMBERED:
                self._checked.clear()
            self._checked[key] = lines
        if outgoing.body or outgoing.method in _WITH_LENGTH:
            return b"%bcontent-length: %d\r\n\r\n" % (lines, len(outgoing.body))
        return lines + b"\r\n"

    def _lines(self, outgoing: Outgoing) -> bytes:
        for name, _ in outgoing.headers:
            _check(name)
        request_line = _request_line(outgoing.method, outgoing.target)
        lines = [request_line, self._fixed, *map(b": ".join, outgoing.headers), b""]
        head = b"\r\n".join(lines)
        # Each joint is a CR and a LF, and `_fixed` holds two pairs of its own.
        if len(head) - len(head.translate(None, _CONTROLS)) != 2 * (len(lines) + 1):
            raise _unsendable(f"a control character in {_culprit(outgoing)}")
        return head

    def pairs(self, outgoing: Outgoing) -> list[tuple[bytes, bytes]]:
        """The same head for a library that writes heads itself; the same refusals."""
        self.write(outgoing)
        pairs = [(b"host", self._host), (b"accept-encoding", b"identity"), *outgoing.headers]
        if outgoing.body or outgoing.method in _WITH_LENGTH:
            pairs.append((b"content-length", b"%d" % len(outgoing.body)))
        return pairs


def _check(name: bytes) -> None:
    if not _NAME.fullmatch(name):
        raise _unsendable("a header's name is not a lower-case token")
    if name in _OURS:
        raise _unsendable(f"header {name.decode()!r} belongs to the transport")


def _request_line(method: str, target: str) -> bytes:
    if not (method.isascii() and method.isalpha()):
        raise _unsendable("the method is not a word")
    if not target.startswith("/") or " " in target or not target.isascii():
        raise _unsendable("the target is not an encoded path")
    return b"%b %b HTTP/1.1" % (method.encode(), target.encode())


def _culprit(outgoing: Outgoing) -> str:
    for name, value in outgoing.headers:
        if value.translate(None, _CONTROLS) != value:
            return f"the value of header {name.decode()!r}"
    return "the target or the host"


def _unsendable(why: str) -> GatewayError:
    return GatewayError(Kind.BUG, f"the request cannot be sent: {why}")
