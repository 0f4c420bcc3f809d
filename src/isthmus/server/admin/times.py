"""How times are told: as people write them, in UTC."""

from datetime import UTC, datetime

from isthmus.server.admin.call import AdminCall


def as_date(time: float) -> str:
    """Unix seconds."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(at: float, call: AdminCall) -> str:
    """Monotonic seconds."""
    return as_date(call.time + at - call.at)
