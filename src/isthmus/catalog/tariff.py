"""A price list made ready for many requests: what one came to, in whole numbers, and exactly what `cost` says.

The one rule of rounding is here: microdollars, rounded up, once for each request. A rate in US dollars for a million
tokens is one in microdollars for a token; so with all rates brought to one power of ten, a sum is exact.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from msgspec.structs import asdict

from isthmus.catalog.prices import BILLED_AS, counts, rates_for
from isthmus.core.facts import Price, Rates, Service
from isthmus.core.usage import Usage, UsageDetail
from isthmus.dialects.bills import detail_of, service_of

MICRODOLLARS = 1_000_000
"""In one US dollar."""
_MEDIA = ("audio_input", "image_input", "audio_output", "image_output")
"""Rates for which it must be known of what kind tokens are."""


class _Step(NamedTuple):
    """The rates for requests with more than `above` tokens of input, as whole numbers: in the order of the counts, and
    of a usage's own fields. `hour` is what a token more costs that is written to a cache for an hour.
    """

    above: int
    rates: Sequence[int]
    plain: tuple[int, int, int, int, int]
    hour: int


class Tariff:
    """Of one price list. `unit` is how many of its whole numbers make a microdollar.

    Inside, `_media` and `_hour` are there where tokens may have rates of their own, for what they are or for how long
    they are kept. Of steps, the highest is the first.
    """

    __slots__ = ("_hour", "_image", "_media", "_request", "_services", "_steps", "unit")

    def __init__(self, price: Price) -> None:
        lists = [price, *price.services.values()]
        self.unit: int = 10 ** max(_places(one) for one in lists)
        self._request = self._whole((price.request or 0) * MICRODOLLARS)
        self._image = self._whole((price.image or 0) * MICRODOLLARS)
        self._services = {service: self._steps_of(one) for service, one in price.services.items()}
        self._steps = self._steps_of(price)
        self._media = any(_has(one, *_MEDIA) for one in lists)
        self._hour = any(_has(one, "cache_write_hour") for one in lists)

    def microdollars(self, usage: Usage) -> int:
        """What a request with this usage costs, rounded up."""
        return -(-self.exact(usage) // self.unit)

    def about(self, fresh: int, output: int) -> int:
        """What a request costs that comes to so much, and of which nothing more is known; rounded up."""
        steps = self._steps
        rates = (steps[0] if len(steps) == 1 else _step(steps, fresh)).plain
        return -(-(self._request + rates[0] * fresh + rates[3] * output) // self.unit)

    def fraction(self, usage: Usage) -> Fraction:
        """The same in microdollars, not rounded: for a part of a request."""
        return Fraction(self.exact(usage), self.unit)

    def exact(self, usage: Usage) -> int:
        """The same in the tariff's own units. What the usage's own object tells is looked at where it matters."""
        hour = 0
        if usage.native is not None:
            service = service_of(usage) if self._services else None
            if service is not None or self._media:
                return self.units(usage, detail_of(usage), service)
            if self._hour and usage.cache_write:
                hour = min(detail_of(usage).cache_write_hour, usage.cache_write)
        steps = self._steps
        step = steps[0] if len(steps) == 1 else _step(steps, usage.input)
        fresh, read, written, output, reasoning = step.plain
        return (
            self._request
            + fresh * usage.fresh_input
            + read * usage.cache_read
            + written * usage.cache_write
            + output * usage.output
            + reasoning * usage.reasoning
            + step.hour * hour
        )

    def units(self, usage: Usage, detail: UsageDetail, service: Service | None) -> int:
        """As `catalog.prices.cost`, in the tariff's own units."""
        steps = self._services.get(service, self._steps) if service else self._steps
        billed = counts(usage, detail).values()
        tokens = sum(map(int.__mul__, _step(steps, usage.input).rates, billed))
        return self._request + self._image * detail.images + tokens

    def _steps_of(self, price: Price) -> tuple[_Step, ...]:
        above = (-1, *(tier.above for tier in price.tiers))
        return tuple(self._step_of(one, rates_for(price, one + 1)) for one in reversed(above))

    def _step_of(self, above: int, rates: Rates) -> _Step:
        told = asdict(rates)
        said = (next((told[name] for name in names if told[name] is not None), 0) for names in BILLED_AS.values())
        whole = dict(zip(BILLED_AS, map(self._whole, said), strict=True))
        plain = whole["input"], whole["cache_read"], whole["cache_write"], whole["output"], whole["reasoning"]
        hour = whole["cache_write_hour"] - whole["cache_write"]
        return _Step(above, tuple(whole.values()), plain, hour)

    def _whole(self, rate: Decimal | int) -> int:
        return int(rate * self.unit)


def _places(price: Price) -> int:
    """Digits behind the point that are enough for every rate of a list, in microdollars."""
    rates = [rate for one in _all(price) for rate in asdict(one).values() if rate is not None]
    each = [rate * MICRODOLLARS for rate in (price.request, price.image) if rate is not None]
    exponents = [rate.normalize().as_tuple().exponent for rate in (*rates, *each)]
    return max([0, *(-one for one in exponents if isinstance(one, int))])


def _step(steps: Sequence[_Step], tokens: int) -> _Step:
    """That of a request with so many tokens of input."""
    for step in steps:
        if tokens > step.above:
            return step
    return steps[-1]


def _has(price: Price, *names: str) -> bool:
    return any(getattr(one, name) is not None for one in _all(price) for name in names)


def _all(price: Price) -> Sequence[Rates]:
    return price.rates, *(tier.rates for tier in price.tiers)
