"""Counts of tokens.

`promptTokenCount` holds what was read from the cache; thoughts stand beside `candidatesTokenCount`, and what
the provider's own tools put into the prompt beside `promptTokenCount`.

Source: https://ai.google.dev/api/generate-content (UsageMetadata).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.gemini.spelling import camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Malformed

_COUNTS = frozenset({"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"})


def read_usage(body: Raw | bytes | None) -> Usage | None:
    """None for what counts nothing, as the chunks in the middle of Vertex AI's streams. No answer is refused for it."""
    if body is None or body == json.NULL:
        return None
    try:
        json.check_text(bytes(body))
        counts = {camel(name): value for name, value in json.read_fields(body).items()}
    except Malformed:
        return None
    if counts.keys().isdisjoint(_COUNTS):
        return None
    prompt, cached = _count(counts, "promptTokenCount"), _count(counts, "cachedContentTokenCount")
    cached = min(prompt, cached)
    return Usage(
        fresh_input=prompt - cached + _count(counts, "toolUsePromptTokenCount"),
        cache_read=cached,
        output=_count(counts, "candidatesTokenCount"),
        reasoning=_count(counts, "thoughtsTokenCount"),
        native=Foreign(DIALECT, Raw(bytes(body))),
    )


def _count(counts: Mapping[str, Raw], name: str) -> int:
    """A count that is missing or not a number is nought."""
    try:
        value: Any = json.decode(counts.get(name, json.NULL))
    except Malformed:
        return 0
    return max(0, int(value)) if isinstance(value, int | float) else 0


def write_usage(usage: Usage, losses: Losses) -> object:
    """What was written to the cache is part of the prompt here, and told as that alone."""
    if usage.native is not None and usage.native.dialect == DIALECT:
        return usage.native.body
    if usage.cache_write:
        losses.rewrite("usage.cache_write", "this dialect counts what is written to the cache as any input")
    counts = {"promptTokenCount": usage.input}
    if usage.cache_read:
        counts["cachedContentTokenCount"] = usage.cache_read
    counts["candidatesTokenCount"] = usage.output
    if usage.reasoning:
        counts["thoughtsTokenCount"] = usage.reasoning
    counts["totalTokenCount"] = usage.input + usage.total_output
    return counts
