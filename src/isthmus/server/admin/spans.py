"""Times as administrators write them: a date, a moment, or how long ago."""

import re
from datetime import UTC, datetime

from isthmus.core.errors import GatewayError, Kind

_AGO = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[mhdw])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_HOW = "write a date (2026-01-31), a moment (2026-01-31T12:00:00Z), or how long ago (90m, 24h, 7d, 4w)"


def read_time(said: str, name: str, now: float) -> float:
    """Unix seconds of what was said; a time without a zone is UTC. Raises INVALID that names the field `name`."""
    if (ago := _AGO.fullmatch(said)) is not None:
        return now - int(ago["number"]) * _SECONDS[ago["unit"]]
    try:
        at = datetime.fromisoformat(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise GatewayError(Kind.INVALID, f"{name} is no time; {_HOW}", param=name) from error


def read_number(said: str, name: str, *, least: int = 1, most: int) -> int:
    """A whole number within its bounds. Raises INVALID that names the field `name`."""
    if not (said.isascii() and said.isdigit() and len(said) < 12 and least <= int(said) <= most):
        raise GatewayError(Kind.INVALID, f"{name} is a whole number from {least} to {most}", param=name)
    return int(said)
