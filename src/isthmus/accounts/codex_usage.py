"""How much of its limits a ChatGPT account has used, as ChatGPT itself tells it.

Source: github.com/openai/codex, codex-rs/codex-backend-openapi-models: RateLimitStatusPayload and what it holds.
"""

from collections.abc import Iterator, Mapping

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.accounts import UsedWindow
from isthmus.providers.quota_headers import SESSION, WEEK, measure_of
from isthmus.wire import json

_WINDOWS: Mapping[str, str] = {"primary_window": SESSION, "secondary_window": WEEK}
"""Where a window stands, and what it is called that does not say how long it is."""


class _Window(Value, frozen=True):
    used_percent: float = 0.0
    limit_window_seconds: float | None = None
    reset_after_seconds: float | None = None
    reset_at: float | None = None


class _Limit(Value, frozen=True):
    primary_window: _Window | None = None
    secondary_window: _Window | None = None


class _Usage(Value, frozen=True):
    plan_type: str | None = None
    rate_limit: _Limit | None = None


_read = json.decoder(_Usage)


def read_usage(body: bytes, time: float) -> tuple[str | None, tuple[UsedWindow, ...]]:
    """The plan, and the windows as they are at Unix time `time`. Raises GARBLED."""
    try:
        told = _read(body)
    except json.DECODE_ERRORS as error:
        raise GatewayError(Kind.GARBLED, f"ChatGPT's word on an account's use cannot be read: {error}") from error
    return told.plan_type, tuple(_windows(told.rate_limit or _Limit(), time))


def _windows(limit: _Limit, time: float) -> Iterator[UsedWindow]:
    for field, otherwise in _WINDOWS.items():
        window: _Window | None = getattr(limit, field)
        if window is None:
            continue
        ends = window.reset_at
        if ends is None and window.reset_after_seconds is not None:
            ends = time + window.reset_after_seconds
        used = min(1.0, max(0.0, window.used_percent / 100))
        yield UsedWindow(measure_of(window.limit_window_seconds, otherwise), used, ends, window.limit_window_seconds)
