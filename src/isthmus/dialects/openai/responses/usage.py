"""Tokens counted, and how an answer ended, as this dialect spells them.

Source: the OpenAI API reference, "The response object": cached input is counted inside `input_tokens`, reasoning
inside `output_tokens`. An answer has a status and no reason to stop: that it called tools its output says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw, Struct

from isthmus.core.content import Part, ToolCall
from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.wire import json

COMPLETED, INCOMPLETE, FAILED = "completed", "incomplete", "failed"
OPEN = ("queued", "in_progress")
"""States of an answer that is still to come."""
_REASONS: Mapping[str, Reason] = {"max_output_tokens": Reason.LENGTH, "content_filter": Reason.FILTERED}
_WORDS: Mapping[Reason, str] = {
    Reason.LENGTH: "max_output_tokens",
    Reason.CONTEXT_FULL: "max_output_tokens",
    Reason.FILTERED: "content_filter",
    Reason.REFUSED: "content_filter",
}
"""Why an answer is incomplete; for every other reason it is complete."""


class Ending(NamedTuple):
    """`why` is the reason of an incomplete answer, or all that its provider told about it."""

    status: str
    why: dict[str, Any] | Raw | None = None


def read_finish(status: str | None, details: Raw | None, parts: Sequence[Part]) -> Finish | None:
    """Why the model stopped; None while it has not, or where nobody says."""
    if status is None or status in OPEN:
        return None
    if status != COMPLETED:
        return _read_incomplete(status, details)
    called = any(isinstance(part, ToolCall) for part in parts)
    return Finish(Reason.TOOL_CALLS if called else Reason.STOP)


def _read_incomplete(status: str, details: Raw | None) -> Finish:
    found = {} if details is None else json.read_fields(details, "incomplete_details")
    word = found.get("reason")
    reason = _REASONS.get(str(json.decode(word)), Reason.OTHER) if word is not None and json.is_text(word) else None
    if status == INCOMPLETE and reason not in (None, Reason.OTHER) and len(found) == 1:
        return Finish(reason or Reason.OTHER)
    native = json.raw({"status": status, "incomplete_details": details})
    return Finish(reason or Reason.OTHER, native=Foreign(RESPONSES, native))


def write_finish(finish: Finish | None, *, called: bool, refused: bool, path: str, losses: Losses) -> Ending:
    """The status. What reads back as another reason is told; that it refused is said by what it says, if `refused`."""
    if finish is None:
        return Ending(COMPLETED)
    if finish.native is not None and finish.native.dialect == RESPONSES:
        told = json.read_fields(finish.native.body)
        return Ending(str(json.decode(told["status"])), told.get("incomplete_details"))
    if finish.reason is (Reason.TOOL_CALLS if called else Reason.STOP) or (called and finish.reason is Reason.STOP):
        return Ending(COMPLETED)
    word = None if refused and finish.reason is Reason.REFUSED else _WORDS.get(finish.reason)
    if word is None or _REASONS[word] is not finish.reason:
        said = f"status {COMPLETED}" if word is None else word
        losses.rewrite(f"{path}.finish", f"this dialect says {said} for {finish.reason}")
    return Ending(COMPLETED) if word is None else Ending(INCOMPLETE, {"reason": word})


class _InputDetails(Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _OutputDetails(Struct, frozen=True):
    reasoning_tokens: int | None = None


class _Counts(Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


_read_counts = json.decoder(_Counts)


def read_usage(body: Raw) -> Usage:
    """Usage in disjoint buckets, with the object as it was. Counts that are no numbers count as nothing."""
    try:
        counts = _read_counts(body)
    except json.DECODE_ERRORS:
        counts = _Counts()
    before, after = counts.input_tokens_details, counts.output_tokens_details
    given, made = counts.input_tokens or 0, counts.output_tokens or 0
    cached = min((before and before.cached_tokens) or 0, given)
    written = min((before and before.cache_write_tokens) or 0, given - cached)
    reasoning = min((after and after.reasoning_tokens) or 0, made)
    return Usage(given - cached - written, cached, written, made - reasoning, reasoning, Foreign(RESPONSES, body))


def write_usage(usage: Usage) -> dict[str, Any] | Raw:
    """The object as this dialect's provider sent it, else one made of the buckets."""
    if usage.native is not None and usage.native.dialect == RESPONSES:
        return usage.native.body
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.total_output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.total_output,
    }
