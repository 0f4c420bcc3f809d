"""What a request claims of the limits in its way, and holds until it is known what it came to.

The limits of its client and its route are claimed once, those of a provider and a key anew for each place that is
asked. What was claimed is settled when the exchange ends, or when the place that it was claimed for has failed; so it
is enough that whoever ends an exchange calls `settle`. Who waits, and how long, is decided elsewhere.
"""

from collections.abc import Mapping, Sequence

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import ModelFacts
from isthmus.core.usage import Usage
from isthmus.engine.exchange import Exchange
from isthmus.engine.held import Bill, Held
from isthmus.engine.live import Now
from isthmus.engine.ports import Limiter, Ports
from isthmus.routing.health import Place
from isthmus.routing.limits import NEVER, Claim, Limit, Measure, Refusal
from isthmus.routing.places import Ask
from isthmus.routing.plan import Target
from isthmus.routing.walk import Walk

_COUNTED = frozenset({Measure.TOKENS, Measure.MICRODOLLARS})
"""Measures for which it must be guessed what a request comes to."""
_SPANS: Mapping[int, str] = {60: "a minute", 3600: "an hour", 86_400: "a day"}


class Admission:
    """One exchange before the limits in its way. Made only where there are any."""

    __slots__ = ("_allowances", "_bills", "_body", "_exchange", "_held", "_limiter", "_now", "_ports", "refusals")

    def __init__(self, exchange: Exchange, body: bytes, limiter: Limiter, now: Now, ports: Ports) -> None:
        self._exchange = exchange
        self._body = body
        self._limiter = limiter
        self._now = now
        self._ports = ports
        self._allowances = now.snapshot.allowances
        self._bills: dict[Target, Bill] = {}
        self._held: dict[Place, Held] = {}
        self.refusals: list[Refusal] = []

    async def enter(self) -> None:
        """Claim once what the exchange's client and its route allow.

        Raises RATE_LIMITED, with the seconds until there is room, or TOO_LARGE when there never will be.
        """
        plan = self._exchange.plan
        if plan is None or not plan.targets:
            return
        limits = self._limits(f"client:{self._exchange.client.name}", f"route:{plan.name}")
        found = await self._claim(limits, plan.targets[0], self._exchange)
        if isinstance(found, Refusal):
            raise refused(found)

    async def admits(self, ask: Ask, walk: Walk, twin: Exchange | None = None) -> bool:
        """Claim what the place's provider and key allow. Where there is no room, the walk knows, and the log will.

        `twin` is the exchange of an attempt beside another, which holds what is claimed for it.
        """
        provider = ask.target.provider
        limits = self._limits(f"provider:{provider}", f"key:{provider}/{ask.credential}")
        found = await self._claim(limits, ask.target, twin or self._exchange)
        if isinstance(found, Refusal):
            self.refusals.append(found)
            self._exchange.skipped += (f"{provider}/{ask.credential}/{ask.target.model}: {told(found.limit)}",)
            walk.refused(ask, found.wait, self._ports.clock.now(), limit=told(found.limit))
            return False
        if found is not None:
            self._held[ask.place] = found
        return True

    def failed(self, ask: Ask, error: GatewayError) -> None:
        """The place did not answer: what was claimed there is settled."""
        held = self._held.pop(ask.place, None)
        if held is not None:
            held.failed(error)

    def error(self) -> GatewayError | None:
        """Why no place is left, where limits of ours are the reason. Names no key: they are nobody's business."""
        if not self.refusals:
            return None
        wait = min(refusal.wait for refusal in self.refusals)
        if wait == NEVER:
            return GatewayError(Kind.TOO_LARGE, "the request may come to more than any key of this model is allowed")
        if wait == 0:
            return GatewayError(Kind.OVERLOADED, "all places of this model are busy; try again shortly", retry_after=1)
        words = f"every key of this model has used up its limits; the first has room in {wait:.0f} s"
        return GatewayError(Kind.UPSTREAM_LIMITED, words, retry_after=wait)

    def _limits(self, *scopes: str) -> Sequence[Limit]:
        return [limit for scope in scopes for limit in self._allowances.get(scope, ())]

    async def _claim(self, limits: Sequence[Limit], target: Target, exchange: Exchange) -> Held | Refusal | None:
        if not limits:
            return None
        bill = self._bill(target, limits)
        claims = [Claim(limit, 1 if bill is None else bill.amount(limit.measure)) for limit in limits]
        found = await self._limiter.claim(claims)
        if isinstance(found, Refusal):
            return found
        held = Held(found, bill, self._limiter)
        exchange.held += (held,)
        return held

    def _bill(self, target: Target, limits: Sequence[Limit]) -> Bill | None:
        """None where only requests are counted."""
        measures = {limit.measure for limit in limits} & _COUNTED
        if not measures:
            return None
        bill = self._bills.get(target)
        if bill is None or (bill.price is None and Measure.MICRODOLLARS in measures):
            expected = self._ports.expected.of(self._body, target.model)
            price = self._facts(target).price if Measure.MICRODOLLARS in measures else None
            bill = self._bills[target] = Bill(target, expected, price)
        return bill

    def _facts(self, target: Target) -> ModelFacts:
        told_of = self._now.told.get(target.provider, {}).get(target.model)
        return self._now.snapshot.facts(target.provider, target.model, told_of)


def admission(exchange: Exchange, body: bytes, now: Now, ports: Ports) -> Admission | None:
    """What `exchange` must claim; None where nothing is limited."""
    if not now.snapshot.allowances or ports.limiter is None:
        return None
    return Admission(exchange, body, ports.limiter, now, ports)


def settle(exchange: Exchange, ports: Ports) -> None:
    """The exchange is over. All that it still holds is settled with what it came to, as far as that is known."""
    usage, answered = exchange.usage, exchange.outcome == "answered"
    sent = any(attempt.error is None for attempt in exchange.attempts)
    for held in exchange.held:
        if usage is not None or answered:
            held.settle(usage)
        else:
            held.settle(held.begun() if sent else Usage())
    last = exchange.held[-1].bill if exchange.held else None
    if last is not None and usage is not None and answered:
        ports.expected.learn(last.target.model, last.expected, usage)


def refused(refusal: Refusal) -> GatewayError:
    """The caller's own limit, or its route's, has no room."""
    limit, wait = refusal
    if wait == NEVER:
        return GatewayError(Kind.TOO_LARGE, f"the request may come to more than is allowed: {told(limit)}")
    if limit.measure is Measure.RUNNING:
        return GatewayError(Kind.RATE_LIMITED, f"too many requests at a time: {told(limit)}", retry_after=1)
    words = f"the limit is reached: {told(limit)}; there is room in {wait:.0f} s"
    return GatewayError(Kind.RATE_LIMITED, words, retry_after=wait)


def told(limit: Limit) -> str:
    """The limit in words."""
    kind, _, name = limit.scope.partition(":")
    if limit.measure is Measure.RUNNING:
        return f"{limit.most} requests at a time for {kind} {name}"
    if limit.measure is Measure.MICRODOLLARS:
        return f"{limit.most / 1e6:.2f} dollars {_span(limit.span)} for {kind} {name}"
    return f"{limit.most} {limit.measure} {_span(limit.span)} for {kind} {name}"


def _span(seconds: int) -> str:
    return _SPANS.get(seconds) or f"in {seconds} s"
