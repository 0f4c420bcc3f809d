"""Counts of tokens, which are disjoint here as in the core: `inputTokens` holds neither what the cache gave nor took.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html.
"""

from msgspec import Raw, Struct

from isthmus.core.losses import Losses
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS


class _Counts(Struct, frozen=True, gc=False):
    inputTokens: int | None = None  # noqa: N815  as the provider spells it
    outputTokens: int | None = None  # noqa: N815  as above
    cacheReadInputTokens: int | None = None  # noqa: N815  as above
    cacheWriteInputTokens: int | None = None  # noqa: N815  as above


_decode_counts = json.decoder(_Counts)


def read_usage(body: Raw | None) -> Usage | None:
    """A count that is missing or not a number is nought: no answer is refused for its bill."""
    if body is None:
        return None
    try:
        counts = _decode_counts(body)
    except DECODE_ERRORS:
        return Usage(native=Foreign(DIALECT, body))
    return Usage(
        fresh_input=counts.inputTokens or 0,
        cache_read=counts.cacheReadInputTokens or 0,
        cache_write=counts.cacheWriteInputTokens or 0,
        output=counts.outputTokens or 0,
        native=Foreign(DIALECT, body),
    )


def write_usage(usage: Usage, losses: Losses) -> object:
    if usage.native is not None and usage.native.dialect == DIALECT:
        return usage.native.body
    if usage.reasoning:
        losses.rewrite("usage.reasoning", "this dialect counts thinking as output")
    return {
        "inputTokens": usage.fresh_input,
        "outputTokens": usage.total_output,
        "totalTokens": usage.input + usage.total_output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write,
    }
