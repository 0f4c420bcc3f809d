"""Fields of a call's query, as numbers, times and words. Each raises INVALID that names a field it cannot read."""

from collections.abc import Collection
from typing import TypeVar

from isthmus.core.errors import GatewayError, Kind
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.times import read_time

_T = TypeVar("_T")


def whole(call: AdminCall, name: str, default: int, *, least: int = 0, most: int) -> int:
    """A whole number within bounds; `default` where nothing is said."""
    said = call.asked(name)
    if not said:
        return default
    if not (said.isascii() and said.isdecimal() and len(said) <= 18 and least <= int(said) <= most):
        raise GatewayError(Kind.INVALID, f"{name} is a whole number from {least} to {most}", param=name)
    return int(said)


def time(call: AdminCall, name: str, default: _T) -> float | _T:
    """Unix seconds of a time, however it is written; `default` where nothing is said."""
    said = call.asked(name)
    return read_time(said, name, call.time) if said else default


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
