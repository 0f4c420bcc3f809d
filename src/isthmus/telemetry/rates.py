"""What one place's tokens cost, worked out once for many requests. In floats: a sum to watch, not a bill."""

from collections.abc import Mapping

from isthmus.catalog.prices import cost
from isthmus.core.facts import Price
from isthmus.core.usage import Usage

KINDS: Mapping[str, Usage] = {
    "input": Usage(fresh_input=1),
    "cached": Usage(cache_read=1),
    "written": Usage(cache_write=1),
    "output": Usage(output=1),
    "reasoning": Usage(reasoning=1),
}
"""One token of each kind."""


class Rates:
    """Of one price list. Where its rates rise with a request's length, each request is worked out by itself."""

    __slots__ = ("_price", "_rates", "_request")

    def __init__(self, price: Price) -> None:
        self._price = price
        self._request = float(price.request or 0)
        self._rates = tuple(float(cost(one, price).total - (price.request or 0)) for one in KINDS.values())

    def dollars(self, usage: Usage) -> float:
        """What these tokens cost, in US dollars."""
        if self._price.tiers:
            return float(cost(usage, self._price).total)
        fresh, read, written, output, reasoning = self._rates
        return (
            self._request
            + fresh * usage.fresh_input
            + read * usage.cache_read
            + written * usage.cache_write
            + output * usage.output
            + reasoning * usage.reasoning
        )
