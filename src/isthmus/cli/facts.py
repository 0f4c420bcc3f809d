"""What is known of a model, as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec.structs import asdict

from isthmus.core.facts import ModelFacts, Price, Rates
from isthmus.core.value import Value

_LIMITS = ("context_limit", "input_limit", "output_limit", "dimensions")
_SAY: Mapping[bool, str] = {True: "yes", False: "no"}


class KnownTarget(Value, frozen=True):
    """One model at one provider: what is known of it, and by whom each fact was told."""

    target: str
    facts: ModelFacts
    sources: Mapping[str, str]


def in_short(known: Sequence[KnownTarget]) -> tuple[str, str, str]:
    """Limits of input and output, and the price of both; of the first target, which is asked first."""
    facts = known[0].facts if known else ModelFacts()
    taken = facts.input_limit or facts.context_limit
    price = facts.price.rates if facts.price else Rates()
    prices = [_dollars(rate) for rate in (price.input, price.output) if rate is not None]
    return _number(taken), _number(facts.output_limit), " / ".join(prices)


def details(known: KnownTarget) -> Iterator[tuple[str, str, str]]:
    """Every fact in words, and its source."""
    facts, sources = known.facts, known.sources
    if facts.mode:
        yield "mode", facts.mode, sources["mode"]
    for name in _LIMITS:
        if (limit := getattr(facts, name)) is not None:
            yield name.replace("_", "-"), str(limit), sources[name]
    for ability, can in facts.abilities.items():
        yield ability, _SAY[can], sources[f"abilities.{ability}"]
    for label, rates in _prices(facts.price):
        yield f"price{label}", rates, sources["price"]
    if facts.retires:
        yield "retires", facts.retires.isoformat(), sources["retires"]


def _prices(price: Price | None, service: str = "") -> Iterator[tuple[str, str]]:
    """One line for each list of rates."""
    if price is None:
        return
    yield service, _rates(price.rates)
    for tier in price.tiers:
        yield f"{service} above {tier.above}", _rates(tier.rates)
    for name, amount in (("request", price.request), ("image", price.image)):
        if amount is not None:
            yield f"{service} for one {name}", _dollars(amount)
    for other, prices in price.services.items():
        yield from _prices(prices, f" {other}")


def _rates(rates: Rates) -> str:
    told: Mapping[str, Decimal | None] = asdict(rates)
    return ", ".join(f"{name.replace('_', '-')} {_dollars(rate)}" for name, rate in told.items() if rate is not None)


def _dollars(amount: Decimal) -> str:
    return f"${amount:f}"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
