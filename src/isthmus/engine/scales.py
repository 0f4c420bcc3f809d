"""How the strategies weigh places: what each has used of its limits, and what it costs. Read when somebody asks."""

from collections.abc import Mapping, Sequence

from isthmus.engine.ports import Limiter
from isthmus.engine.snapshot import Snapshot, ToldFacts
from isthmus.routing.health import Place
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.order import UNUSED, Used
from isthmus.routing.places import Ask

FRESH = 0.1
"""Seconds for which it is remembered what a key has used, so that a pool of many is not counted for every request."""
REMEMBERED = 4096
"""Places whose price is kept; beyond that, it is looked up again."""
MICRO_DOLLARS = 1000
"""For 1000 tokens, of one US dollar for a million."""


class Prices:
    """What 1000 tokens of input and 1000 of output cost at each place of one configuration, in micro-dollars."""

    def __init__(self, snapshot: Snapshot, told: ToldFacts) -> None:
        self._snapshot = snapshot
        self._told = told
        self._known: dict[Place, float | None] = {}

    def of(self, ask: Ask) -> float | None:
        """None where one of the two prices is not known."""
        if ask.place in self._known:
            return self._known[ask.place]
        found = self._look_up(ask)
        if len(self._known) < REMEMBERED:
            self._known[ask.place] = found
        return found

    def _look_up(self, ask: Ask) -> float | None:
        price = self._snapshot.price(ask.target, ask.credential, self._told)
        if price is None or price.rates.input is None or price.rates.output is None:
            return None
        return float(price.rates.input + price.rates.output) * MICRO_DOLLARS


class Shares:
    """What keys have used of their limits and their providers'. `allowances` are the limits by scope."""

    def __init__(self, allowances: Mapping[str, Sequence[Limit]]) -> None:
        self._allowances = allowances
        self._known: dict[tuple[str, str], tuple[Used, float]] = {}

    def of(self, limiter: Limiter, now: float, place: Place) -> Used:
        """As it was at most a moment ago; `now` is in monotonic seconds."""
        account = place[:2]
        used, at = self._known.get(account, (UNUSED, -FRESH))
        if not at <= now < at + FRESH:
            used = self._count(limiter, *account)
            self._known[account] = used, now
        return used

    def _count(self, limiter: Limiter, provider: str, credential: str) -> Used:
        limits = (
            *self._allowances.get(f"provider:{provider}", ()),
            *self._allowances.get(f"key:{provider}/{credential}", ()),
        )
        shares = [(limit.measure, limiter.share(limit)) for limit in limits]
        return Used(
            requests=max((share for measure, share in shares if measure is Measure.REQUESTS), default=0.0),
            tokens=max((share for measure, share in shares if measure is Measure.TOKENS), default=0.0),
            most=max((share for _, share in shares), default=0.0),
        )
