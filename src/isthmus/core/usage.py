"""Tokens, in disjoint buckets.

Dialects disagree on whether cached input is inside or beside input, and reasoning
inside or beside output. Here no token is counted in two fields, so sums are right;
totals are computed, never stored.
"""

from isthmus.core.value import Foreign, Value


class Usage(Value, frozen=True):
    """Counts of tokens. `native` is the dialect's own object, written back by that dialect in place of the counts."""

    fresh_input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    native: Foreign | None = None

    @property
    def input(self) -> int:
        return self.fresh_input + self.cache_read + self.cache_write

    @property
    def total_output(self) -> int:
        return self.output + self.reasoning


class UsageDetail(Value, frozen=True, kw_only=True):
    """Of the tokens in a Usage, how many are of a kind that may have a price of its own; and how many images there are.

    `cache_write_hour` is part of the cache writes, `audio_input` and `image_input` of the fresh input, the other two
    of the output.
    """

    cache_write_hour: int = 0
    audio_input: int = 0
    image_input: int = 0
    audio_output: int = 0
    image_output: int = 0
    images: int = 0


NO_DETAIL = UsageDetail()
