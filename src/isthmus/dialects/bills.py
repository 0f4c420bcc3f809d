"""What the dialects' own usage objects tell beyond counts of tokens, for whoever reckons what they cost.

Sources: docs.anthropic.com/en/docs/build-with-claude/prompt-caching (`cache_creation`), the OpenAI API reference
(`prompt_tokens_details`, `input_tokens_details` and their counterparts), ai.google.dev/api/generate-content
(UsageMetadata: counts by modality), docs.aws.amazon.com/bedrock/latest/APIReference (CacheDetail).
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.facts import Service
from isthmus.core.usage import NO_DETAIL, Usage, UsageDetail
from isthmus.core.value import Value
from isthmus.wire import json
from isthmus.wire.json import Malformed

_COUNTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "anthropic": {"cache_write_hour": ("cache_creation", "ephemeral_1h_input_tokens")},
    "openai_chat": {
        "audio_input": ("prompt_tokens_details", "audio_tokens"),
        "audio_output": ("completion_tokens_details", "audio_tokens"),
    },
    "openai_responses": {
        "audio_input": ("input_tokens_details", "audio_tokens"),
        "audio_output": ("output_tokens_details", "audio_tokens"),
    },
}
"""Where a count stands, by dialect."""

_ROWS: Mapping[str, Mapping[str, tuple[str, tuple[str, str], str]]] = {
    "gemini": {
        "audio_input": ("promptTokensDetails", ("modality", "AUDIO"), "tokenCount"),
        "image_input": ("promptTokensDetails", ("modality", "IMAGE"), "tokenCount"),
        "audio_output": ("candidatesTokensDetails", ("modality", "AUDIO"), "tokenCount"),
        "image_output": ("candidatesTokensDetails", ("modality", "IMAGE"), "tokenCount"),
    },
    "bedrock": {"cache_write_hour": ("cacheDetails", ("ttl", "1h"), "inputTokens")},
}
"""The list in which a count stands, what marks its row, and the count's name there."""


class _Written(Value, frozen=True):
    ephemeral_1h_input_tokens: int = 0


class _Anthropic(Value, frozen=True):
    cache_creation: _Written | None = None


_anthropic = json.decoder(_Anthropic)
_SERVICES: Mapping[str, Service] = {one.value: one for one in Service}
"""What Anthropic's usage calls a `service_tier`; its usual ones are no service of their own."""


def service_of(usage: Usage) -> Service | None:
    """How soon the answer was wanted, as far as the usage's own object tells it: Anthropic's does, others' do not."""
    if usage.native is None or usage.native.dialect != "anthropic":
        return None
    try:
        told = _at(json.decode(usage.native.body), "service_tier")
    except Malformed:
        return None
    return _SERVICES.get(told) if isinstance(told, str) else None


def detail_of(usage: Usage) -> UsageDetail:
    """What the usage's own object tells. A count that is missing or not a number is nought."""
    if usage.native is None:
        return NO_DETAIL
    dialect = usage.native.dialect
    if dialect == "anthropic" and (hour := _hour_of(usage.native.body)) is not None:
        return UsageDetail(cache_write_hour=hour) if hour else NO_DETAIL
    try:
        told = json.decode(usage.native.body)
    except Malformed:
        return NO_DETAIL
    counts = {name: _count(_at(told, *path)) for name, path in _COUNTS.get(dialect, {}).items()}
    rows = {name: _sum(_at(told, place), mark, count) for name, (place, mark, count) in _ROWS.get(dialect, {}).items()}
    return UsageDetail(**counts, **rows)


def _hour_of(body: Raw) -> int | None:
    """Anthropic's count, read fast, for agents have it in every answer; None where it is not as it should be."""
    try:
        written = _anthropic(body).cache_creation
    except json.DECODE_ERRORS:
        return None
    return 0 if written is None else max(0, written.ephemeral_1h_input_tokens)


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _sum(rows: object, mark: tuple[str, str], count: str) -> int:
    name, word = mark
    return sum(_count(_at(row, count)) for row in rows if _at(row, name) == word) if isinstance(rows, list) else 0


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
