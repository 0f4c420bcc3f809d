"""A name that a client chose, as one part of a path."""

from urllib.parse import quote

from isthmus.core.errors import GatewayError, Kind

_STEPS = frozenset({"", ".", ".."})


def segment(name: str, *, safe: str = "") -> str:
    """The name, percent-encoded but for `safe`. Raises UNKNOWN_MODEL for one that would lead to another path."""
    if name in _STEPS:
        raise GatewayError(Kind.UNKNOWN_MODEL, f"{name!r} is not the name of a model")
    return quote(name, safe=safe)
