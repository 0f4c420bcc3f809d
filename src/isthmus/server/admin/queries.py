"""Fields of a call's query as numbers and words. Each raises INVALID, naming the field, for what it cannot read."""

from collections.abc import Collection

from isthmus.core.errors import GatewayError, Kind
from isthmus.server.admin.call import AdminCall


def whole(call: AdminCall, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A whole number within bounds; `default` where nothing is said."""
    said = call.asked(name)
    if not said:
        return default
    if not (said.isascii() and said.isdecimal() and len(said) <= 18 and least <= int(said) <= most):
        raise GatewayError(Kind.INVALID, f"{name} is a whole number from {least} to {most}", param=name)
    return int(said)


def unix_time(call: AdminCall, name: str) -> float | None:
    """Unix seconds; None where nothing is said."""
    said = call.asked(name)
    if not said:
        return None
    try:
        at = float(said)
    except ValueError:
        at = -1.0
    if not 0 <= at < 1e11:
        raise GatewayError(Kind.INVALID, f"{name} is a time in Unix seconds", param=name)
    return at


def one_of(call: AdminCall, name: str, words: Collection[str]) -> str | None:
    """One of these words; None where nothing is said."""
    said = call.asked(name)
    if not said:
        return None
    if said not in words:
        raise GatewayError(Kind.INVALID, f"{name} is one of {', '.join(words)}", param=name)
    return said


def flag(call: AdminCall, name: str) -> bool:
    return one_of(call, name, ("true", "1", "false", "0")) in ("true", "1")
