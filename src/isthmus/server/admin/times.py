"""How times are told and read: as people write them, in UTC where they name no zone."""

import re
from datetime import UTC, datetime

from isthmus.core.errors import GatewayError, Kind
from isthmus.server.admin.call import AdminCall

_UNIX = re.compile(r"[0-9]{1,11}(\.[0-9]{1,20})?", re.ASCII)
_AGO = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[mhdw])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DATE = "a date (2027-01-31) or a moment (2027-01-31T12:00:00Z)"
HOW = "a date (2027-01-31), a moment (2027-01-31T12:00:00Z), Unix seconds, or how long ago (90m, 24h, 7d, 4w)"


def as_date(time: float) -> str:
    """Unix seconds."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(at: float, call: AdminCall) -> str:
    """Monotonic seconds."""
    return as_date(call.time + at - call.at)


def read_date(said: str, name: str, how: str = _DATE) -> float:
    """Unix seconds of a date or a moment. Raises INVALID that names the field `name` and says `how` it is written."""
    try:
        at = datetime.fromisoformat(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise GatewayError(Kind.INVALID, f"{name} is no time; write {how}", param=name) from error


def read_time(said: str, name: str, now: float) -> float:
    """Unix seconds of what is written as `HOW` says. Raises as `read_date`."""
    if _UNIX.fullmatch(said) is not None:
        return float(said)
    if (ago := _AGO.fullmatch(said)) is not None:
        return now - int(ago["number"]) * _SECONDS[ago["unit"]]
    return read_date(said, name, HOW)
