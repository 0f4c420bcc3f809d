"""Tokens counted and reasons to stop, as this dialect spells them: OpenAI counts as in a chat completion.

Source: the OpenAI API reference, "The completion object".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT, COMPLETIONS
from isthmus.wire import json

_READ: Mapping[str, Reason] = {
    "stop": Reason.STOP,
    "length": Reason.LENGTH,
    "content_filter": Reason.FILTERED,
}
_WORDS: Mapping[Reason, str] = {
    Reason.STOP: "stop",
    Reason.LENGTH: "length",
    Reason.TOOL_CALLS: "stop",
    Reason.STOP_SEQUENCE: "stop",
    Reason.REFUSED: "content_filter",
    Reason.FILTERED: "content_filter",
    Reason.PAUSED: "stop",
    Reason.CONTEXT_FULL: "length",
    Reason.OTHER: "stop",
}


def read_finish(word: str | None) -> Finish | None:
    """Why the model stopped; None for nothing or ""."""
    if not word:
        return None
    reason = _READ.get(word, Reason.OTHER)
    return Finish(reason, native=Foreign(COMPLETIONS, json.raw(word)) if reason is Reason.OTHER else None)


def write_finish(finish: Finish | None, path: str, losses: Losses) -> str | None:
    """The word. What reads back as another reason is told."""
    if finish is None:
        return None
    if finish.native is not None and finish.native.dialect == COMPLETIONS:
        return str(json.decode(finish.native.body))
    word = _WORDS[finish.reason]
    if _READ[word] is not finish.reason:
        losses.rewrite(f"{path}.finish", f"this dialect says {word} for {finish.reason}")
    return word


class _Before(Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _After(Struct, frozen=True):
    reasoning_tokens: int | None = None


class _Counts(Struct, frozen=True):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _Before | None = None
    completion_tokens_details: _After | None = None


_read_counts = json.decoder(_Counts)


def read_usage(fields: Mapping[str, Raw]) -> Usage:
    """Usage in disjoint buckets, with the object as it was. Counts that are no numbers count as nothing.

    Some hosts count the thoughts beside the completion, which shows in their total.
    """
    body = json.raw(fields)
    try:
        counts = _read_counts(body)
    except json.DECODE_ERRORS:
        counts = _Counts()
    before, after = counts.prompt_tokens_details or _Before(), counts.completion_tokens_details or _After()
    prompt, completion = max(counts.prompt_tokens or 0, 0), max(counts.completion_tokens or 0, 0)
    cached = min(max(before.cached_tokens or 0, 0), prompt)
    written = min(max(before.cache_write_tokens or 0, 0), prompt - cached)
    thought = max(after.reasoning_tokens or 0, 0)
    beside = max((counts.total_tokens or 0) - prompt - completion, 0)
    if beside < thought:
        thought = min(thought, completion)
        completion -= thought
    return Usage(prompt - cached - written, cached, written, completion, thought, Foreign(COMPLETIONS, body))


def write_usage(usage: Usage) -> dict[str, Any] | Raw:
    """The object as a provider of OpenAI's counted, else one made of the buckets."""
    if usage.native is not None and usage.native.dialect in (COMPLETIONS, CHAT):
        return usage.native.body
    counts: dict[str, Any] = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.total_output,
        "total_tokens": usage.input + usage.total_output,
    }
    if usage.cache_read or usage.cache_write:
        before = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
        counts["prompt_tokens_details"] = {name: count for name, count in before.items() if count}
    if usage.reasoning:
        counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
    return counts
