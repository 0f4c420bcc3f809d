"""What a request claims of the limits in its way, and holds until it is known what it came to.

The limits and budgets of its client, the client's team, the whole gateway and its route are claimed once, those of a
provider and a key anew for each place that is asked. What was claimed is settled when the exchange ends, or when the
place that it was claimed for has failed; so it is enough that whoever ends an exchange calls `settle`. Who waits, and
how long, is decided elsewhere.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period, renews
from isthmus.engine.clients import SHADOW
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.expected import Expectation
from isthmus.engine.held import COUNTED, Bill, Held
from isthmus.engine.live import Now
from isthmus.engine.ports import Limiter, Ports
from isthmus.engine.queue import Waiter
from isthmus.engine.scopes import GATEWAY
from isthmus.engine.spending import SPENT_NOTHING, Spending, spending, spending_at
from isthmus.routing.health import Place
from isthmus.routing.limits import NEVER, Claim, Limit, Measure, Refusal
from isthmus.routing.places import Ask
from isthmus.routing.plan import Target
from isthmus.routing.walk import Walk

_TOKENS, _MICRODOLLARS, _RUNNING = Measure.TOKENS, Measure.MICRODOLLARS, Measure.RUNNING
_BURDENED = frozenset({Kind.UPSTREAM_LIMITED, Kind.OVERLOADED, Kind.TIMED_OUT})
"""Failures that say a provider carries too much."""
_SPANS: Mapping[int, str] = {60: "a minute", 3600: "an hour", 86_400: "a day"}
_PERIODS: Mapping[Period, str] = {
    Period.DAY: "a day",
    Period.WEEK: "a week",
    Period.MONTH: "a month",
    Period.ALL: "in all",
}


class Admission:
    """One exchange before the limits in its way. Made only where there are any.

    Inside, `_held` is what was granted for each place, `_expected` what the request is taken for, by model. `_busy` are
    the scopes that had no room for one more running request; `_waiter` stands in the queue for them, until `_until`.
    """

    __slots__ = (
        "_allowances",
        "_bills",
        "_body",
        "_busy",
        "_exchange",
        "_expected",
        "_held",
        "_limiter",
        "_now",
        "_ports",
        "_until",
        "_waiter",
        "refusals",
    )

    def __init__(self, exchange: Exchange, body: bytes | None, limiter: Limiter, now: Now, ports: Ports) -> None:
        self._exchange = exchange
        self._body = body
        self._limiter = limiter
        self._now = now
        self._ports = ports
        self._allowances = now.snapshot.allowances
        self._bills: dict[tuple[Target, str], Bill] = {}
        self._expected: dict[str, Expectation] = {}
        self._held: dict[Place, Held] = {}
        self._busy: set[str] = set()
        self._waiter: Waiter | None = None
        self._until = 0.0
        self.refusals: list[Refusal] = []

    async def enter(self, until: float | None = None) -> None:
        """Claim once what the exchange's client and its route allow, and wait for a place if there is one to come.

        Raises RATE_LIMITED, with the seconds until there is room, TOO_LARGE when there never will be, BUDGET_SPENT, or
        STORE_GONE where it is not known what is left of a budget.
        """
        plan, client = self._exchange.plan, self._exchange.client
        if plan is None or not plan.targets or client is SHADOW:
            return
        limits = self._in_force(self._now.entries.of(client, plan.name, self._limiter).limits)
        if self._ports.budgets is not None:
            self._ports.budgets.check(limits)
        while isinstance(found := await self._claim(limits, plan.targets[0], self._exchange), Refusal):
            self._note_busy(found)
            refusal = refused(found, self._ports.clock.time())
            try:
                waited = await self._waited(until)
            except GatewayError as late:  # its own limit is not the gateway's being busy
                raise refusal from late
            if not waited:
                raise refusal
        self._waiter = None

    async def next(self, walk: Walk, until: float | None) -> Ask | None:
        """The walk's next place that has room, or None when there is none left; the waiting for it is over.

        Where places are only busy, one of them is waited for. Raises OVERLOADED when none is free in time.
        """
        while True:
            ask = walk.next(self._ports.clock.now())
            if ask is None:
                if not await self._waited(until):
                    return None
                self.refusals = [one for one in self.refusals if one.limit.measure is not Measure.RUNNING]
                walk.freed()
                continue
            if ask.wait > 0:
                await asyncio.sleep(ask.wait)
            if await self.admits(ask, walk):
                self._waiter = None
                return ask

    async def admits(self, ask: Ask, walk: Walk | None = None, twin: Exchange | None = None) -> bool:
        """Claim what the place's provider and key allow. Where there is no room, the walk knows, and the log will.

        `twin` is the exchange of an attempt beside another, which holds what is claimed for it.
        """
        provider = ask.target.provider
        limits = self._limits(f"provider:{provider}", f"key:{provider}/{ask.credential}")
        found = await self._claim(limits, ask.target, twin or self._exchange, ask.credential)
        if isinstance(found, Refusal):
            self.refusals.append(found)
            self._note_busy(found)
            self._note_skipped(f"{provider}/{ask.credential}/{ask.target.model}: {told(found.limit)}")
            if walk is not None:
                walk.refused(ask, found.wait, self._ports.clock.now(), limit=told(found.limit))
            return False
        if found is not None:
            found.place = ask.place
            self._held[ask.place] = found
        return True

    @property
    def only_busy(self) -> bool:
        """Was anything found without room that will have some when another request ends?"""
        return bool(self._busy)

    def answered(self, attempt: AttemptRecord) -> None:
        """The place has begun to answer: what the request is expected to come to is what it is there."""
        if self._expected and self._body is not None:
            self._expect(self._body, attempt.target.model)
        provider = attempt.target.provider
        if (rule := self._now.snapshot.adaptive.get(provider)) is not None:
            running = round(rule.most * self._limiter.share(Limit(f"provider:{provider}", Measure.RUNNING, rule.most)))
            bound = self._now.board.bounds.of(provider, rule)
            bound.answered(attempt.milliseconds / 1000, running, self._ports.clock.now())

    def failed(self, ask: Ask, error: GatewayError, attempts: Sequence[AttemptRecord] | None = None) -> None:
        """The place did not answer: what was claimed there is settled. `attempts`: where the try at it is noted."""
        held = self._held.pop(ask.place, None)
        if held is not None:
            tries = self._exchange.attempts if attempts is None else attempts
            held.settle(_spent_at(ask.place, self._exchange, tries, self._now))
        rule = self._now.snapshot.adaptive.get(ask.target.provider)
        if rule is not None and error.kind in _BURDENED:
            self._now.board.bounds.of(ask.target.provider, rule).burdened(self._ports.clock.now())

    def error(self, rest: float) -> GatewayError | None:
        """Why no place is left, where limits of ours are the reason. Names no key: they are nobody's business.

        `rest`: seconds until the first place may be asked.
        """
        if not self.refusals:
            return None
        if rest == NEVER:
            return GatewayError(Kind.TOO_LARGE, "the request may come to more than any key of this model is allowed")
        if any(refusal.wait == 0 for refusal in self.refusals):
            return GatewayError(Kind.OVERLOADED, "all places of this model are busy; try again shortly", retry_after=1)
        words = f"no key of this model has room in its limits; the first is back in {rest:.0f} s"
        return GatewayError(Kind.UPSTREAM_LIMITED, words, retry_after=rest)

    def _limits(self, *scopes: str) -> Sequence[Limit]:
        return self._in_force([limit for scope in scopes for limit in self._allowances.get(scope, ())])

    def _in_force(self, found: Sequence[Limit]) -> Sequence[Limit]:
        """As they are at present, for a request like this."""
        if self._now.snapshot.adaptive:
            found = [self._at_present(limit) for limit in found]
        return found if self._body is not None else [limit for limit in found if limit.measure not in COUNTED]

    def _at_present(self, limit: Limit) -> Limit:
        """The limit, which for a provider whose bound is found out by trying is what was found."""
        kind, _, name = limit.scope.partition(":")
        rule = self._now.snapshot.adaptive.get(name) if kind == "provider" else None
        if rule is None or limit.measure is not Measure.RUNNING:
            return limit
        return replace(limit, most=self._now.board.bounds.of(name, rule).size)

    def _note_skipped(self, words: str) -> None:
        if words not in self._exchange.skipped:
            self._exchange.skipped += (words,)

    def _note_busy(self, refusal: Refusal) -> None:
        if refusal.limit.measure is Measure.RUNNING and refusal.wait != NEVER:
            self._busy.add(refusal.limit.scope)

    async def _waited(self, until: float | None) -> bool:
        """Wait, where anything is only busy. All the waiting of one exchange is bounded as a whole."""
        queue, rule, again = self._ports.queue, self._now.snapshot.queue, self._waiter is not None
        if queue is None or not self._busy:
            return False
        if not again:
            patience = self._ports.clock.now() + rule.wait
            self._until = patience if until is None else min(until, patience)
        self._waiter = Waiter(frozenset(self._busy), self._exchange.client.name, len(self._body or b""))
        self._busy.clear()
        await queue.wait(self._waiter, rule, self._until, again=again)
        return True

    def _comes_after(self, limits: Sequence[Limit]) -> Limit | None:
        """The limit for which others wait, who came before."""
        if self._ports.queue is not None and self._waiter is None:
            for limit in limits:
                if limit.measure is _RUNNING and self._ports.queue.busy(limit.scope):
                    return limit
        return None

    async def _claim(
        self, limits: Sequence[Limit], target: Target, exchange: Exchange, credential: str = ""
    ) -> Held | Refusal | None:
        if not limits:
            return None
        if (before := self._comes_after(limits)) is not None:
            return Refusal(before, 0.0)
        bill = self._bill(target, credential, limits)
        claims = [Claim(limit, 1 if bill is None else bill.amount(limit)) for limit in limits]
        found = await self._limiter.claim(claims)
        if isinstance(found, Refusal):
            return found
        held = Held(found, self._limiter, self._ports.queue)
        exchange.held += (held,)
        return held

    def _bill(self, target: Target, credential: str, limits: Sequence[Limit]) -> Bill | None:
        """None where only requests are counted."""
        measures = [limit.measure for limit in limits]
        priced = _MICRODOLLARS in measures
        if self._body is None or not (priced or _TOKENS in measures):
            return None
        bill = self._bills.get((target, credential))
        if bill is None or (bill.tariff is None and priced):
            at = self._exchange.at
            tariff = self._now.tariffs.of(target, credential, at) if priced else None
            bill = self._bills[target, credential] = Bill(self._expect(self._body, target.model), tariff)
        return bill

    def _expect(self, body: bytes, model: str) -> Expectation:
        """What the request will come to at this model, worked out once for each. The exchange goes by the last."""
        expected = self._expected.get(model)
        if expected is None:
            expected = self._expected[model] = self._ports.expected.of(body, model, self._exchange.peek)
        self._exchange.expected = expected
        return expected


def admission(exchange: Exchange, body: bytes | None, now: Now, ports: Ports) -> Admission | None:
    """What `exchange` must claim; None where nothing is limited. `body` is None for a request that costs no tokens."""
    if not now.snapshot.allowances or ports.limiter is None:
        return None
    return Admission(exchange, body, ports.limiter, now, ports)


def settle(exchange: Exchange, now: Now, ports: Ports) -> None:
    """The exchange is over. All that it still holds is settled with what it came to, there or as a whole."""
    for held in exchange.held:
        if not held.open:
            continue
        if held.place is None:
            held.settle(spending(exchange, now.tariffs))
        else:
            held.settle(_spent_at(held.place, exchange, exchange.attempts, now))
    expected, usage = exchange.expected, exchange.usage
    if expected is not None and usage is not None and exchange.outcome == "answered" and exchange.attempts:
        ports.expected.learn(exchange.attempts[-1].target.model, expected, usage)


def _spent_at(place: Place, exchange: Exchange, attempts: Sequence[AttemptRecord], now: Now) -> Spending:
    """What the last try at this place came to."""
    record = next((one for one in reversed(attempts) if one.place == place), None)
    return SPENT_NOTHING if record is None else spending_at(exchange, record, now.tariffs)


def refused(refusal: Refusal, now: float) -> GatewayError:
    """The caller's own limit, or its route's, has no room at Unix time `now`."""
    limit, wait = refusal
    if limit.period is not None:
        return _spent(limit, limit.period, now)
    if wait == NEVER:
        return GatewayError(Kind.TOO_LARGE, f"the request may come to more than is allowed: {told(limit)}")
    if limit.measure is Measure.RUNNING:
        return GatewayError(Kind.RATE_LIMITED, f"too many requests at a time: {told(limit)}", retry_after=1)
    words = f"the limit is reached: {told(limit)}; there is room in {wait:.0f} s"
    return GatewayError(Kind.RATE_LIMITED, words, retry_after=wait)


def _spent(limit: Limit, period: Period, now: float) -> GatewayError:
    """What is left of the budget, less what requests under way may come to, is not enough."""
    renewal = renews(period, now)
    if renewal == NEVER:
        return GatewayError(Kind.BUDGET_SPENT, f"the budget is spent: {told(limit)}; it never renews")
    when = datetime.fromtimestamp(renewal, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = f"the budget is spent: {told(limit)}; it renews at {when}"
    return GatewayError(Kind.BUDGET_SPENT, words, retry_after=renewal - now)


def told(limit: Limit) -> str:
    """The limit in words."""
    kind, _, name = limit.scope.partition(":")
    whose = "the whole gateway" if limit.scope == GATEWAY else f"{kind} {name}"
    if limit.measure is Measure.RUNNING:
        return f"{limit.most} requests at a time for {whose}"
    when = _PERIODS[limit.period] if limit.period is not None else _SPANS.get(limit.span) or f"in {limit.span} s"
    if limit.measure is Measure.MICRODOLLARS:
        return f"{limit.most / 1e6:.2f} dollars {when} for {whose}"
    return f"{limit.most} {limit.measure} {when} for {whose}"
