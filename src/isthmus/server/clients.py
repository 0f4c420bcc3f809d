"""Who is calling: any of the four ways a client key is sent, on any route."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from isthmus.wire.headers import Headers

_KEYS = frozenset({b"x-api-key", b"x-goog-api-key"})
_HERE = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:\d*)?")


def presented_key(said: Mapping[bytes, bytes], query: bytes) -> str | None:
    """The key from `authorization`, `x-api-key`, `x-goog-api-key` or `?key=`; None when none is sent.

    `said` are the request's headers as `said_to_us` has them. The query form is read and never logged.
    """
    for name, value in said.items():
        key = None
        if name == b"authorization":
            scheme, _, rest = value.partition(b" ")
            key = _text(rest if scheme.lower() == b"bearer" else value)
        elif name in _KEYS:
            key = _text(value)
        if key is not None:
            return key
    if b"key=" in query:
        keys = parse_qs(query.decode("latin-1")).get("key")
        return keys[0] if keys else None
    return None


def names_this_machine(headers: Headers) -> bool:
    """Did the client ask for this machine by one of its own names? A page whose host's name leads here did not."""
    hosts = [value for name, value in headers if name == b"host"]
    return len(hosts) == 1 and _HERE.fullmatch(hosts[0].lower()) is not None


def _text(value: bytes) -> str | None:
    return value.strip().decode("latin-1") or None


def is_loopback(peer: str) -> bool:
    return peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1") or peer.startswith("127.")
