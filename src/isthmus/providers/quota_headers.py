"""What the headers of an answer say of its provider's limits, as a table of all the ways in which that is said.

Sources: platform.openai.com/docs/guides/rate-limits, whose names Azure, xAI and Fireworks have too, and Groq
(console.groq.com/docs/rate-limits); docs.anthropic.com/en/api/rate-limits, and for subscriptions what its answers
carry; inference-docs.cerebras.ai/support/rate-limits; docs.together.ai/docs/rate-limits;
openrouter.ai/docs/api-reference/limits; for the Codex backend github.com/openai/codex,
codex-rs/codex-api/src/rate_limits.rs. Mistral documents none; its rows are what its answers carry. Gemini, Bedrock,
DeepSeek and Ollama say nothing in headers.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from isthmus.core.quota import Quota, Told, Window
from isthmus.wire.waits import span

MINUTE, DAY = 60.0, 86_400.0
EPOCH, EPOCH_MILLISECONDS = 1e9, 1e12
"""Numbers from which on a reset is a time since 1970, and not a wait."""

SESSION, ONE_DAY, WEEK, MONTH = "5 hours", "24 hours", "7 days", "30 days"
OF_ACCOUNTS = frozenset({SESSION, ONE_DAY, WEEK, MONTH})
"""Measures that are those of an account, whichever model is asked."""
LENGTHS: tuple[tuple[float, str], ...] = ((5 * 3600, SESSION), (DAY, ONE_DAY), (7 * DAY, WEEK), (30 * DAY, MONTH))
"""Seconds of the windows of accounts, and what these are called."""
ALMOST = 0.05
"""Part of a window's length by which it may be told otherwise: 299 minutes have been seen."""


class Row(NamedTuple):
    """The names of the headers of one limit. `span`: seconds of its window, where its end is not told.

    `used`: not what remains is told, but which part is used, of `whole`. `after` tells of the end where `reset` does
    not; `minutes` how long the window is, by which the measure is called where that is known.
    """

    measure: str
    limit: bytes
    remaining: bytes
    reset: bytes
    span: float | None = None
    used: bool = False
    whole: float = 1.0
    after: bytes = b""
    minutes: bytes = b""


def _openai(measure: str, ending: bytes, span: float | None = None) -> Row:
    prefix = b"x-ratelimit"
    return Row(
        measure, prefix + b"-limit-" + ending, prefix + b"-remaining-" + ending, prefix + b"-reset-" + ending, span
    )


def _anthropic(measure: str, name: bytes) -> Row:
    prefix = b"anthropic-ratelimit-" + name
    return Row(measure, prefix + b"-limit", prefix + b"-remaining", prefix + b"-reset")


def _subscription(measure: str, name: bytes) -> Row:
    prefix = b"anthropic-ratelimit-unified-" + name
    return Row(measure, b"", prefix + b"-utilization", prefix + b"-reset", used=True)


def _codex(measure: str, name: bytes) -> Row:
    prefix = b"x-codex-" + name
    return Row(
        measure,
        b"",
        prefix + b"-used-percent",
        prefix + b"-reset-at",
        used=True,
        whole=100.0,
        after=prefix + b"-reset-after-seconds",
        minutes=prefix + b"-window-minutes",
    )


ROWS: tuple[Row, ...] = (
    _openai("requests", b"requests"),
    _openai("tokens", b"tokens"),
    _anthropic("requests", b"requests"),
    _anthropic("tokens", b"tokens"),
    _anthropic("input tokens", b"input-tokens"),
    _anthropic("output tokens", b"output-tokens"),
    _subscription(SESSION, b"5h"),
    _subscription(WEEK, b"7d"),
    _codex(SESSION, b"primary"),
    _codex(WEEK, b"secondary"),
    _openai("requests", b"req-minute", MINUTE),
    _openai("tokens", b"tokens-minute", MINUTE),
    _openai("requests of a day", b"requests-day", DAY),
    Row("tokens", b"ratelimitbysize-limit", b"ratelimitbysize-remaining", b"ratelimitbysize-reset", MINUTE),
    Row("requests", b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset", MINUTE),
    Row("tokens", b"x-tokenlimit-limit", b"x-tokenlimit-remaining", b"x-tokenlimit-reset", MINUTE),
)
"""Mistral's from `req-minute` on, Cerebras' too; the last ones are OpenRouter's and Together's."""


_BY_REMAINING: Mapping[bytes, Row] = {row.remaining: row for row in ROWS}


def read_quota(headers: Told, time: float) -> Quota:
    """What is left of which limits, by headers that came at Unix time `time`. What cannot be read is left out."""
    rows = [row for name, _ in headers if (row := _BY_REMAINING.get(name)) is not None]
    return tuple(_windows(rows, dict(headers), time)) if rows else ()


def reset_in(text: bytes, time: float) -> float | None:
    """Seconds from `time` on: "6m0s", "20ms", "7.66", a time since 1970 in (milli)seconds, or one by RFC 3339."""
    if (number := _number(text)) is not None:
        if number >= EPOCH_MILLISECONDS:
            return max(0.0, number / 1000 - time)
        return max(0.0, number - time) if number >= EPOCH else number
    words = text.decode("ascii", "replace")
    if (seconds := span(words)) is not None:
        return seconds
    try:
        return max(0.0, datetime.fromisoformat(words).timestamp() - time)
    except (ValueError, OverflowError):
        return None


def measure_of(seconds: float | None, otherwise: str) -> str:
    """What a window of an account is called that is so long."""
    if seconds is None:
        return otherwise
    return next((name for length, name in LENGTHS if abs(seconds - length) <= ALMOST * length), otherwise)


def _windows(rows: Iterable[Row], said: Mapping[bytes, bytes], time: float) -> Iterator[Window]:
    for row in dict.fromkeys(rows):
        told = _number(said[row.remaining])
        if told is None:
            continue
        reset = reset_in(said.get(row.reset) or said.get(row.after, b""), time)
        wait = row.span if reset is None else reset
        if row.used:
            minutes = _number(said.get(row.minutes, b""))
            if told or wait is not None or minutes:  # else there is no such window
                measure = measure_of(minutes * MINUTE if minutes else None, row.measure)
                yield Window(measure, max(0.0, 1.0 - told / row.whole), 1.0, wait)
        else:
            yield Window(row.measure, told, _number(said.get(row.limit, b"")), wait)


def _number(text: bytes) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
