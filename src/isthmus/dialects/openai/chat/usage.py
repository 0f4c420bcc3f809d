"""Tokens counted and reasons to stop, as this dialect spells them.

Source: the OpenAI API reference, "The chat completion object". OpenAI counts cached input inside
`prompt_tokens` and reasoning inside `completion_tokens`; xAI counts reasoning beside it, and Gemini's
OpenAI endpoint only in `total_tokens`.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT
from isthmus.wire import json

_STOP, _OTHER = Reason.STOP, Reason.OTHER
FINISHES: Mapping[str, Reason] = {
    "stop": Reason.STOP,
    "length": Reason.LENGTH,
    "tool_calls": Reason.TOOL_CALLS,
    "content_filter": Reason.FILTERED,
    "function_call": Reason.TOOL_CALLS,
    "model_length": Reason.LENGTH,
    "max_tokens": Reason.LENGTH,
    "stop_sequence": Reason.STOP_SEQUENCE,
    "tool_use": Reason.TOOL_CALLS,
    "end_turn": Reason.STOP,
    "eos": Reason.STOP,
    "sensitive": Reason.FILTERED,
    "refusal": Reason.REFUSED,
}
"""OpenAI's words first, then those that compatible hosts use in their place."""
WORDS: Mapping[Reason, str] = {
    Reason.STOP: "stop",
    Reason.LENGTH: "length",
    Reason.TOOL_CALLS: "tool_calls",
    Reason.STOP_SEQUENCE: "stop",
    Reason.REFUSED: "content_filter",
    Reason.FILTERED: "content_filter",
    Reason.PAUSED: "stop",
    Reason.CONTEXT_FULL: "length",
    Reason.OTHER: "stop",
}


def read_finish(word: str | None, *, called: bool) -> Finish | None:
    """Why the model stopped; None for nothing or "". `called`: it called tools, and may say `stop` all the same."""
    if not word:
        return None
    reason = FINISHES.get(word, _OTHER)
    exact = word == WORDS[reason] and reason is not _OTHER and not (called and reason is _STOP)
    return Finish(reason, native=None if exact else Foreign(CHAT, json.raw(word)))


def write_finish(finish: Finish | None, *, called: bool, path: str, losses: Losses) -> str | None:
    """The word for clients of this dialect, which expect `tool_calls` where tools were called."""
    if finish is None:
        return None
    if finish.native is not None and finish.native.dialect == CHAT:
        return str(json.decode(finish.native.body))
    if called and finish.reason is Reason.STOP:
        return "tool_calls"
    word = WORDS[finish.reason]
    if FINISHES[word] is not finish.reason:
        losses.rewrite(f"{path}.finish", f"this dialect says {word} for {finish.reason}")
    return word


class _PromptDetails(Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(Struct, frozen=True):
    reasoning_tokens: int | None = None


class _Counts(Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None


_read_counts = json.decoder(_Counts)


def read_usage(fields: Mapping[str, Raw]) -> Usage:
    """Usage in disjoint buckets, with the object as it was. Counts that are no numbers count as nothing."""
    return usage_of(json.raw(fields))


def usage_of(body: Raw) -> Usage:
    """The same, from the object itself, letter by letter."""
    try:
        counts = _read_counts(body)
    except json.DECODE_ERRORS:
        counts = _Counts()
    before, after = counts.prompt_tokens_details, counts.completion_tokens_details
    prompt, completion = counts.prompt_tokens or 0, counts.completion_tokens or 0
    cached = (before and before.cached_tokens) or counts.prompt_cache_hit_tokens or counts.cached_tokens or 0
    written = (before and before.cache_write_tokens) or 0
    cached = min(cached, prompt)
    written = min(written, prompt - cached)
    output, reasoning = _output(completion, (after and after.reasoning_tokens) or 0, counts.total_tokens, prompt)
    return Usage(prompt - cached - written, cached, written, output, reasoning, Foreign(CHAT, body))


def _output(completion: int, reasoning: int, total: int | None, prompt: int) -> tuple[int, int]:
    """Visible output and reasoning, whether the host counts the second inside or beside the first."""
    beside = max((total or 0) - prompt - completion, 0)
    if beside and (reasoning == beside or not reasoning):
        return completion, beside
    reasoning = min(reasoning, completion)
    return completion - reasoning, reasoning


def write_usage(usage: Usage) -> dict[str, Any] | Raw:
    """The object as this dialect's provider sent it, else one made of the buckets."""
    if usage.native is not None and usage.native.dialect == CHAT:
        return usage.native.body
    before = {"cached_tokens": usage.cache_read}
    if usage.cache_write:
        before["cache_write_tokens"] = usage.cache_write
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.total_output,
        "total_tokens": usage.input + usage.total_output,
        "prompt_tokens_details": before,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
