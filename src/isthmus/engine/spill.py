"""A spill: what a subscription could have covered is asked where it is paid by use, since none of its accounts can be.

Decides nothing. It is noted of an attempt, and told in a header, in the log, by explain and by a metric, with the price
where one is known.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from isthmus.core.facts import Price
from isthmus.core.value import Value
from isthmus.routing.plan import Plan, Strategy, Target, Tier, header_word

if TYPE_CHECKING:
    from isthmus.engine.snapshot import Snapshot
    from isthmus.routing.places import Places

SHARED_OUT = frozenset(
    {
        Strategy.ROUND_ROBIN,
        Strategy.WEIGHTED,
        Strategy.LEAST_BUSY,
        Strategy.FASTEST,
        Strategy.LEAST_ERROR,
        Strategy.HYBRID,
    }
)
"""Strategies under which no target of a tier comes before another."""


class Covering(Protocol):
    """What is in force, as far as it is looked at here. `covered` are the providers that a subscription pays for."""

    @property
    def snapshot(self) -> "Snapshot": ...

    @property
    def places(self) -> "Places": ...

    @property
    def covered(self) -> frozenset[str]: ...

    def price(self, target: Target, credential: str, at: float) -> Price | None: ...


class Spill(Value, frozen=True):
    """`source` is the provider under whose accounts it could have been asked. US dollars for a million tokens of input
    and of output, None where nobody knows them.
    """

    source: str
    input: Decimal | None = None
    output: Decimal | None = None

    def words(self) -> str:
        """As a header and a log have it: `codex; input=1.25; output=10`."""
        known = {"input": self.input, "output": self.output}
        prices = [f"{name}={dollars.normalize():f}" for name, dollars in known.items() if dollars is not None]
        return "; ".join([header_word(self.source).decode(), *prices])

    def why(self) -> str:
        """For people."""
        if self.input is None or self.output is None:
            cost = "at a price that is not known"
        else:
            cost = f"${self.input.normalize():f} for a million tokens in, ${self.output.normalize():f} out"
        return f"it is paid by use, {cost}; what stands before it, {self.source}, is covered by a subscription"


def spill_of(plan: Plan | None, target: Target, credential: str, now: Covering, at: float) -> Spill | None:
    """What is spilled where the target is asked under this key at Unix time `at`; None where nothing is."""
    if plan is None or target.provider in now.covered:
        return None
    source = next((one for one in _before(plan, target) if one.provider in now.covered and now.places.of(one)), None)
    if source is None or not _is_paid(target, credential, now):
        return None
    price = now.price(target, credential, at)
    if price is None:
        return Spill(source.provider)
    return None if _is_free(price) else Spill(source.provider, price.rates.input, price.rates.output)


def _before(plan: Plan, target: Target) -> Iterator[Target]:
    """The targets that come before this one."""
    for tier in plan.tiers:
        if target in tier.targets:
            yield from _in_front(tier, target)
            return
        yield from tier.targets


def _in_front(tier: Tier, target: Target) -> Iterator[Target]:
    if tier.strategy not in SHARED_OUT:
        yield from tier.targets[: tier.targets.index(target)]


def _is_paid(target: Target, credential: str, now: Covering) -> bool:
    """Does anybody pay? Nobody does where no key is shown."""
    provider = now.snapshot.keyed(target.provider, credential)
    return provider.secret is not None or provider.cloud is not None or bool(provider.headers)


def _is_free(price: Price) -> bool:
    return price.rates.input == 0 and price.rates.output == 0 and not price.request
