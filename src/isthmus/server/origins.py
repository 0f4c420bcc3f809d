"""Which web pages may use the gateway from a browser (the CORS protocol of the WHATWG Fetch standard).

A page can send requests to any address its browser reaches, this machine's own among them, and
spend what the gateway's keys pay for. So a page is served only when its origin is allowed: by
configuration, or because it comes from this machine itself. Programs send no origin and are not
concerned.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from isthmus.wire.headers import Headers

ANY = "*"
_HOME = frozenset({"localhost", "127.0.0.1", "::1"})
_EXPOSED = (
    b"x-isthmus-id, x-isthmus-route, x-isthmus-attempts, x-isthmus-losses, x-isthmus-spill, "
    b"x-request-id, request-id, retry-after, openai-processing-ms, "
    b"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    b"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)
PREFLIGHT: Headers = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-max-age", b"600"),
)


def may_ask(origin: bytes, allowed: Iterable[str]) -> bool:
    """May a page of this origin use the gateway? `allowed` are origins, or `*` for every one."""
    text = origin.decode("latin-1")
    return any(one in (ANY, text) for one in allowed) or _at_home(text)


def _at_home(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in _HOME


def shared_with(origin: bytes) -> Headers:
    """The headers by which a browser lets a page of this origin read an answer."""
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", _EXPOSED),
        (b"vary", b"origin"),
    )
