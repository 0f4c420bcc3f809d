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
from isthmus.core.usage import NO_DETAIL, Usage, UsageDetail
from isthmus.dialects.bills import detail_of, service_of

MICRODOLLARS = 1_000_000
"""In one US dollar."""
_OWN = ("audio_input", "image_input", "cache_write_hour", "audio_output", "image_output")
"""Rates for which it must be known more of a request than its usage counts."""


class _Step(NamedTuple):
    """The rates for requests with more than `above` tokens of input, in the order of the counts, as whole numbers."""

    above: int
    rates: Sequence[int]


class Tariff:
    """Of one price list. `unit` is how many of its whole numbers make a microdollar."""

    __slots__ = ("_fine", "_image", "_request", "_services", "_simple", "_steps", "unit")

    def __init__(self, price: Price) -> None:
        lists = [price, *price.services.values()]
        self.unit: int = 10 ** max(_places(one) for one in lists)
        self._request = self._whole((price.request or 0) * MICRODOLLARS)
        self._image = self._whole((price.image or 0) * MICRODOLLARS)
        self._services = {service: self._steps_of(one) for service, one in price.services.items()}
        self._steps = self._steps_of(price)
        self._fine = bool(price.services) or any(_has_own(one) for one in lists)
        fresh, _, _, read, written, _, output, _, _, reasoning = self._steps[0].rates
        self._simple = (fresh, read, written, output, reasoning) if len(self._steps) == 1 and not self._fine else None

    def microdollars(self, usage: Usage) -> int:
        """What a request with this usage costs, rounded up."""
        if self._simple is None:
            return -(-self.exact(usage) // self.unit)
        fresh, read, written, output, reasoning = self._simple
        units = (
            self._request
            + fresh * usage.fresh_input
            + read * usage.cache_read
            + written * usage.cache_write
            + output * usage.output
            + reasoning * usage.reasoning
        )
        return -(-units // self.unit)

    def fraction(self, usage: Usage) -> Fraction:
        """The same in microdollars, not rounded: for a part of a request."""
        return Fraction(self.exact(usage), self.unit)

    def exact(self, usage: Usage) -> int:
        """The same in the tariff's own units. What the usage's own object tells beyond counts is looked at."""
        if not self._fine or usage.native is None:
            return self.units(usage, NO_DETAIL, None)
        return self.units(usage, detail_of(usage), service_of(usage))

    def units(self, usage: Usage, detail: UsageDetail, service: Service | None) -> int:
        """As `catalog.prices.cost`, in the tariff's own units."""
        steps = self._services.get(service, self._steps) if service else self._steps
        tokens = usage.input
        rates = next((step.rates for step in reversed(steps) if tokens > step.above), steps[0].rates)
        billed = counts(usage, detail).values()
        return self._request + self._image * detail.images + sum(map(int.__mul__, rates, billed))

    def _steps_of(self, price: Price) -> tuple[_Step, ...]:
        above = (-1, *(tier.above for tier in price.tiers))
        return tuple(_Step(one, self._rates_of(rates_for(price, one + 1))) for one in above)

    def _rates_of(self, rates: Rates) -> tuple[int, ...]:
        told = asdict(rates)
        said = (next((told[name] for name in names if told[name] is not None), 0) for names in BILLED_AS.values())
        return tuple(map(self._whole, said))

    def _whole(self, rate: Decimal | int) -> int:
        return int(rate * self.unit)


def _places(price: Price) -> int:
    """Digits behind the point that are enough for every rate of a list, in microdollars."""
    rates = [rate for one in _all(price) for rate in asdict(one).values() if rate is not None]
    each = [rate * MICRODOLLARS for rate in (price.request, price.image) if rate is not None]
    exponents = [rate.normalize().as_tuple().exponent for rate in (*rates, *each)]
    return max((-one for one in exponents if isinstance(one, int)), default=0)


def _has_own(price: Price) -> bool:
    return any(getattr(one, name) is not None for one in _all(price) for name in _OWN)


def _all(price: Price) -> Sequence[Rates]:
    return price.rates, *(tier.rates for tier in price.tiers)
