"""What the headers of an answer say of its provider's limits, as a table of all the ways in which that is said.

Sources: platform.openai.com/docs/guides/rate-limits, whose names Azure, xAI and Fireworks have too, and Groq
(console.groq.com/docs/rate-limits); docs.anthropic.com/en/api/rate-limits, and for subscriptions what its answers
carry; inference-docs.cerebras.ai/support/rate-limits; docs.together.ai/docs/rate-limits;
openrouter.ai/docs/api-reference/limits. Mistral documents none; its rows are what its answers carry. Gemini, Bedrock,
DeepSeek and Ollama say nothing in headers.
"""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from isthmus.routing.quotas import Quota, Told, Window

MINUTE, DAY = 60.0, 86_400.0
EPOCH, EPOCH_MILLISECONDS = 1e9, 1e12
"""Numbers from which on a reset is a time since 1970, and not a wait."""

_UNITS: Mapping[str, float] = {"ms": 0.001, "s": 1.0, "m": MINUTE, "h": 3600.0, "d": DAY}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_MARK = b"ratelimit"
"""In the name of every header below but those of Together's tokens."""


class Row(NamedTuple):
    """The names of the headers of one limit. `span`: seconds of its window, where its end is not told.

    `used`: not what remains is told, but which part is used.
    """

    measure: str
    limit: str
    remaining: str
    reset: str
    span: float | None = None
    used: bool = False


def _openai(measure: str, ending: str, span: float | None = None) -> Row:
    prefix = "x-ratelimit"
    return Row(measure, f"{prefix}-limit-{ending}", f"{prefix}-remaining-{ending}", f"{prefix}-reset-{ending}", span)


def _anthropic(measure: str, name: str) -> Row:
    prefix = f"anthropic-ratelimit-{name}"
    return Row(measure, f"{prefix}-limit", f"{prefix}-remaining", f"{prefix}-reset")


def _subscription(name: str) -> Row:
    prefix = f"anthropic-ratelimit-unified-{name}"
    return Row(name, "", f"{prefix}-utilization", f"{prefix}-reset", used=True)


ROWS: tuple[Row, ...] = (
    _openai("requests", "requests"),
    _openai("tokens", "tokens"),
    _anthropic("requests", "requests"),
    _anthropic("tokens", "tokens"),
    _anthropic("input tokens", "input-tokens"),
    _anthropic("output tokens", "output-tokens"),
    _subscription("5h"),
    _subscription("7d"),
    _openai("requests", "req-minute", MINUTE),
    _openai("tokens", "tokens-minute", MINUTE),
    _openai("requests of a day", "requests-day", DAY),
    Row("tokens", "ratelimitbysize-limit", "ratelimitbysize-remaining", "ratelimitbysize-reset", MINUTE),
    Row("requests", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", MINUTE),
    Row("tokens", "x-tokenlimit-limit", "x-tokenlimit-remaining", "x-tokenlimit-reset", MINUTE),
)
"""Mistral's from `req-minute` on, Cerebras' too; the last ones are OpenRouter's and Together's."""


def read_quota(headers: Told, time: float) -> Quota:
    """What is left of which limits, by headers that came at Unix time `time`. What cannot be read is left out."""
    said = {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in headers if _tells(name)}
    return tuple(_windows(said, time)) if said else ()


def reset_in(text: str, time: float) -> float | None:
    """Seconds from `time` on: "6m0s", "20ms", "7.66", a time since 1970 in (milli)seconds, or one by RFC 3339."""
    if (number := _number(text)) is not None:
        if number >= EPOCH_MILLISECONDS:
            return max(0.0, number / 1000 - time)
        return max(0.0, number - time) if number >= EPOCH else number
    if _PIECE.sub("", text) == "" and text:
        return sum(float(count) * _UNITS[unit] for count, unit in _PIECE.findall(text))
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp() - time)
    except (ValueError, OverflowError):
        return None


def _tells(name: bytes) -> bool:
    return _MARK in name or name.startswith(b"x-tokenlimit")


def _windows(said: Mapping[str, str], time: float) -> Iterator[Window]:
    for row in ROWS:
        told = _number(said.get(row.remaining, ""))
        if told is None:
            continue
        reset = reset_in(said.get(row.reset, ""), time)
        wait = row.span if reset is None else reset
        if row.used:
            yield Window(row.measure, max(0.0, 1.0 - told), 1.0, wait)
        else:
            yield Window(row.measure, told, _number(said.get(row.limit, "")), wait)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
