"""How long a provider asks to be left alone, where it says so in words: "Please try again in 6m0s"."""

import re
from collections.abc import Mapping

from isthmus.core.errors import Kind

_UNITS: Mapping[str, float] = {
    "ms": 0.001,
    "millisecond": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "d": 86_400.0,
    "day": 86_400.0,
}
_PIECE = (
    r"(\d{1,9}(?:\.\d{1,9})?)\s?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])"
)
_SEVERAL = rf"(?:{_PIECE}(?:,? (?:and )?)?){{1,4}}"
_PIECES, _SPAN = re.compile(_PIECE, re.IGNORECASE), re.compile(_SEVERAL, re.IGNORECASE)
_SAID = re.compile(
    rf"(?:try again|retry|wait|resets?|available)(?: again)?(?: (?:after|in|for))?:? (?:about )?({_SEVERAL})",
    re.IGNORECASE,
)
_PASSING = frozenset({Kind.UPSTREAM_LIMITED, Kind.QUOTA_SPENT, Kind.OVERLOADED})
"""What is over after a while."""


def asked_wait(kind: Kind, told: float | None, message: str) -> float | None:
    """The seconds that a refusal asks to wait: those it told apart, else those in its words where it will pass."""
    return said_wait(message) if told is None and kind in _PASSING else told


def said_wait(message: str) -> float | None:
    """The seconds that a message asks to wait; None where it names no time."""
    found = _SAID.search(message)
    return None if found is None else _sum(found[1])


def span(text: str) -> float | None:
    """The seconds of a time such as "20s", "6m0s", "373.8ms" or "2 hours and 5 minutes"; None for what is none."""
    return None if _SPAN.fullmatch(text) is None else _sum(text)


def _sum(text: str) -> float:
    return sum(float(number) * _UNITS[_singular(unit.lower())] for number, unit in _PIECES.findall(text))


def _singular(unit: str) -> str:
    return unit if len(unit) <= 2 else unit.removesuffix("s")
