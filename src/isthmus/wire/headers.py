"""HTTP headers as the engine holds them: pairs of bytes, names in lower case."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Names that describe one connection and are never passed on (RFC 9110, section 7.6.1)."""

FOR_US = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"origin",
        b"x-api-key",
        b"x-goog-api-key",
        b"x-isthmus-hops",
        b"x-isthmus-timeout",
    }
)
"""Names that are looked for in every request."""


def said_to_us(headers: Headers) -> Mapping[bytes, bytes]:
    """Of each of FOR_US that is there, the first value, in the order of the headers: one pass in place of many."""
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in FOR_US and name not in said:
            said[name] = value
    return said


def find(headers: Headers, name: bytes) -> bytes | None:
    """The value of the first header called `name` (lower case), or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def pick(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    """The headers whose names are in `names`, in their order."""
    return tuple([pair for pair in headers if pair[0] in names])


def retry_after(headers: Headers) -> float | None:
    """Seconds from a `retry-after` header given as a number; None where absent, negative or a date.

    RFC 9110, section 10.2.3. The millisecond form some providers send, `retry-after-ms`, is preferred.
    """
    for name, scale in ((b"retry-after-ms", 0.001), (b"retry-after", 1.0)):
        value = find(headers, name)
        if value is not None:
            try:
                seconds = float(value) * scale
            except ValueError:
                continue
            if 0 <= seconds < float("inf"):
                return seconds
    return None
