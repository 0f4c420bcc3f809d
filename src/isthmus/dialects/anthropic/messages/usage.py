"""Counts of tokens.

`input_tokens` is what was neither read from nor written to the cache; `output_tokens` holds the
thinking too, which newer answers tell in `output_tokens_details.thinking_tokens`.

Source: https://docs.anthropic.com/en/api/messages (usage).
"""

from collections.abc import Mapping

from msgspec import Raw, Struct

from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import NULL, Malformed

_NOTHING = (NULL, Raw(b"0"))


class _Details(Struct, frozen=True, gc=False):
    thinking_tokens: int | None = None


class _Counts(Struct, frozen=True, gc=False):
    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: _Details | None = None


_decode_counts = json.decoder(_Counts)


def read_usage(counts: Mapping[str, Raw]) -> Usage:
    """A count that is missing or not a number is nought: no answer is refused for its bill."""
    native = json.raw(counts)
    told = _read_counts(native, counts)
    total = max(0, told.output_tokens or 0)
    details = told.output_tokens_details
    thought = min(total, max(0, details.thinking_tokens or 0)) if details is not None else 0
    return Usage(
        fresh_input=max(0, told.input_tokens or 0),
        cache_read=max(0, told.cache_read_input_tokens or 0),
        cache_write=max(0, told.cache_creation_input_tokens or 0),
        output=total - thought,
        reasoning=thought,
        native=Foreign(DIALECT, native),
    )


def _read_counts(body: Raw, counts: Mapping[str, Raw]) -> _Counts:
    """All in one decode, or one by one where one of them is no whole number."""
    try:
        return _decode_counts(body)
    except json.DECODE_ERRORS:
        return _Counts(
            input_tokens=_count(counts, "input_tokens"),
            cache_read_input_tokens=_count(counts, "cache_read_input_tokens"),
            cache_creation_input_tokens=_count(counts, "cache_creation_input_tokens"),
            output_tokens=_count(counts, "output_tokens"),
            output_tokens_details=_Details(_thinking(counts.get("output_tokens_details"))),
        )


def _count(counts: Mapping[str, Raw], name: str) -> int:
    try:
        value = json.decode(counts.get(name, NULL))
    except Malformed:
        return 0
    return max(0, int(value)) if isinstance(value, int | float) else 0


def _thinking(details: Raw | None) -> int:
    try:
        return 0 if details is None else _count(json.read_fields(details), "thinking_tokens")
    except Malformed:
        return 0


def merge_counts(known: Mapping[str, Raw], told: Mapping[str, Raw]) -> dict[str, Raw]:
    """`known` brought up to date. A count once told is not forgotten for a null or a nought.

    Some hosts tell the input at the start and noughts at the end, others the other way round.
    """
    merged = dict(known)
    for name, value in told.items():
        if name not in merged or value not in _NOTHING:
            merged[name] = value
    return merged


def usage_fields(body: Raw | None) -> dict[str, Raw]:
    """The counts of a `usage` object; none where it is missing or no object."""
    if body is None or body == NULL:
        return {}
    try:
        return json.read_fields(body)
    except Malformed:
        return {}


def write_usage(usage: Usage | None) -> object:
    """Clients read all four counts from every answer, so an answer without usage is told in noughts."""
    if usage is None:
        usage = Usage()
    if usage.native is not None and usage.native.dialect == DIALECT:
        return usage.native.body
    counts: dict[str, object] = {
        "input_tokens": usage.fresh_input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.total_output,
    }
    if usage.reasoning:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return counts
