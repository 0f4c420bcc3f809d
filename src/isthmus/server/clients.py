"""Who is calling: any of the four ways a client key is sent, on any route."""

import hashlib
import hmac
from urllib.parse import parse_qs

from isthmus.engine.exchange import Call
from isthmus.engine.snapshot import Snapshot
from isthmus.wire.headers import Headers, find


def presented_key(headers: Headers, query: bytes) -> str | None:
    """The key from `authorization`, `x-api-key`, `x-goog-api-key` or `?key=`; None when none is sent.

    The query form is read and never logged.
    """
    for name, value in headers:
        key = None
        if name == b"authorization":
            scheme, _, rest = value.partition(b" ")
            key = _text(rest if scheme.lower() == b"bearer" else value)
        elif name in (b"x-api-key", b"x-goog-api-key"):
            key = _text(value)
        if key is not None:
            return key
    if b"key=" in query:
        keys = parse_qs(query.decode("latin-1")).get("key")
        return keys[0] if keys else None
    return None


def may_manage(call: Call, snapshot: Snapshot) -> bool:
    """Is this an administrator? By the management key; or a program on this machine, but no page in its browser."""
    for name, value in call.headers:
        if name == b"x-management-key" or (name == b"authorization" and value[:7].lower() == b"bearer "):
            said = hashlib.sha256(value[7:].strip() if name == b"authorization" else value.strip()).digest()
            if snapshot.management is not None and hmac.compare_digest(said, snapshot.management):
                return True
    host = (find(call.headers, b"host") or b"").rpartition(b":")[0] or (find(call.headers, b"host") or b"")
    at_home = host.strip(b"[]").lower() in (b"localhost", b"127.0.0.1", b"::1")
    return is_loopback(call.peer) and at_home and find(call.headers, b"origin") is None


def _text(value: bytes) -> str | None:
    return value.strip().decode("latin-1") or None


def is_loopback(peer: str) -> bool:
    return peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1") or peer.startswith("127.")
