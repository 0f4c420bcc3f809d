"""What is told beside the words: when an answer was made, how many tokens it took, how long, and why it ended.

Ollama leaves out `prompt_eval_count` where the whole prompt was in its cache, and counts what a model thinks as
output. It gives answers no ids.

Source: https://docs.ollama.com/api/usage; durations are in nanoseconds.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.ollama import OLLAMA
from isthmus.wire import json
from isthmus.wire.json import Fields

METRICS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)
_COUNTED_TOGETHER = ("cache_read", "cache_write", "reasoning")
_FINISHES: Mapping[str, Reason] = {"stop": Reason.STOP, "length": Reason.LENGTH}
_WORDS: Mapping[Reason, str] = {
    Reason.STOP: "stop",
    Reason.LENGTH: "length",
    Reason.TOOL_CALLS: "stop",
    Reason.STOP_SEQUENCE: "stop",
    Reason.REFUSED: "stop",
    Reason.FILTERED: "stop",
    Reason.PAUSED: "stop",
    Reason.CONTEXT_FULL: "length",
    Reason.OTHER: "stop",
}
_EPOCH = "1970-01-01T00:00:00Z"


class _Counts(Struct, frozen=True):
    prompt_eval_count: int | None = None
    eval_count: int | None = None


_read_counts = json.decoder(_Counts)


def read_usage(fields: Fields, created_at: str | None) -> Usage | None:
    """The counts of an answer or of the last line of one; None where none are told.

    `native` keeps them with the durations and the exact time, for an answer of this family.
    """
    told = {name: value for name in METRICS if (value := fields.raw(name)) is not None}
    if not told:
        return None
    body = json.raw(told)
    try:
        counts = _read_counts(body)
    except json.DECODE_ERRORS:
        counts = _Counts()
    time = {} if created_at is None else {"created_at": json.raw(created_at)}
    read = max(counts.prompt_eval_count or 0, 0)
    return Usage(read, output=max(counts.eval_count or 0, 0), native=Foreign(OLLAMA, json.raw({**time, **told})))


def write_usage(usage: Usage | None, losses: Losses) -> dict[str, Any]:
    """The fields as they came from this family, else counts, and durations of 0, which nobody knows."""
    if usage is None:
        return {}
    if usage.native is not None and usage.native.dialect == OLLAMA:
        return dict(json.read_fields(usage.native.body))
    for name in _COUNTED_TOGETHER:
        if getattr(usage, name):
            losses.rewrite(f"usage.{name}", "this dialect tells one count of what went in and one of what came out")
    counts = {"prompt_eval_count": usage.input, "eval_count": usage.total_output}
    return {name: counts.get(name, 0) for name in METRICS}


def read_finish(word: str | None, *, called: bool) -> Finish | None:
    """Why the model stopped; None for nothing or "". It says `stop` when it called tools, too."""
    if not word:
        return None
    reason = _FINISHES.get(word)
    if reason is None:
        return Finish(Reason.OTHER, native=Foreign(OLLAMA, json.raw(word)))
    return Finish(Reason.TOOL_CALLS if called and reason is Reason.STOP else reason)


def write_finish(finish: Finish | None, *, called: bool, path: str, losses: Losses) -> str | None:
    if finish is None:
        return None
    if finish.native is not None and finish.native.dialect == OLLAMA:
        return str(json.decode(finish.native.body))
    word = _WORDS[finish.reason]
    understood = _FINISHES[word] is finish.reason or (called and finish.reason is Reason.TOOL_CALLS)
    if not understood:
        losses.rewrite(f"{path}.finish", f"this dialect says {word} for {finish.reason}")
    return word


def read_time(text: str | None) -> int | None:
    """Unix seconds of a time in RFC 3339; None for what is none."""
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None


def write_time(seconds: int | None) -> str:
    """The time in RFC 3339; the epoch where it is unknown or beyond any calendar."""
    try:
        return datetime.fromtimestamp(seconds or 0, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return _EPOCH


def invented_id(*seeds: object) -> str:
    """What stands for an id that was not told: 24 hex digits, equal for equal seeds."""
    return sha256(":".join(map(str, seeds)).encode()).hexdigest()[:24]


def spelled_time(created: int | None, usage: Mapping[str, Any]) -> str | Raw:
    """`created_at`, as it came where the counts of this family still hold it."""
    told: Raw | None = usage.get("created_at")
    return write_time(created) if told is None else told
