"""What would become of a request, told without asking anybody: who, in which order and why, and what they would get.

The line's own functions decide, on a board that is set aside and with ports through which nothing leaves. Nothing is
spent: no turn, no trial after a rest, no room under a limit, no conversation's preference.
"""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

from msgspec.structs import asdict, replace

from isthmus.catalog.prices import cost
from isthmus.core.errors import GatewayError
from isthmus.core.operations import Operation
from isthmus.core.usage import Usage
from isthmus.dialects.codec import AnyCodec, Codec
from isthmus.engine.admission import Admission, admission, told
from isthmus.engine.deadlines import deadline, timing_of, within
from isthmus.engine.dry_run import DryRun
from isthmus.engine.exchange import Exchange
from isthmus.engine.explanation import (
    AskedFor,
    Candidate,
    Deadlines,
    Estimate,
    Explained,
    Health,
    Left,
    Measured,
    Refusal,
    Rest,
    Room,
    RouteRules,
)
from isthmus.engine.lane import spoken_for, their_codec
from isthmus.engine.live import Now
from isthmus.engine.no_account import without_accounts
from isthmus.engine.permits import check_operation, hold_to_permits
from isthmus.engine.ports import Clock, Ports
from isthmus.engine.rules_in_words import rules_in_words
from isthmus.engine.serve import look
from isthmus.engine.shown import Viewer
from isthmus.engine.spill import Spill, spill_of
from isthmus.engine.walk import moment_of, walk_for
from isthmus.engine.ways import Way, plan_or_aside, way_of
from isthmus.providers.provider import Provider
from isthmus.providers.quota_headers import OF_ACCOUNTS
from isthmus.routing import explanation
from isthmus.routing.explanation import View
from isthmus.routing.health import Place, Resting
from isthmus.routing.limits import Limit
from isthmus.routing.places import Ask, Places
from isthmus.routing.plan import Plan, Tier
from isthmus.routing.walk import Walk

SHOWN = 20
"""Candidates whose request is written for one explanation, at most."""
MOST = 200
"""Candidates that are told of; where accounts are thousands, the others are like them."""


async def explain(exchange: Exchange, body: bytes, now: Now, ports: Ports, *, every: bool, viewer: Viewer) -> Explained:
    """All of it. `every`: the requests of all candidates are written, not that of the first one alone.

    `exchange` is one that nobody else holds, of a client that is known. Raises GatewayError where the request itself
    would be refused before anybody is asked.
    """
    exchange.peek = look(exchange.call, body, now.snapshot.habits)
    aside, whole = plan_or_aside(exchange, body, now), None
    if exchange.client.permits is not None:
        check_operation(exchange)
        if exchange.plan is not None:
            whole, now = _Whole(exchange.plan.tiers, now.places), hold_to_permits(exchange, now)
    looking, dry = _Looking(exchange, body, now, ports, viewer=viewer, whole=whole), DryRun(ports)
    if aside is not None:
        return Explained(looking.request(aside), RouteRules(), ())
    way = await way_of(exchange, body, now, dry.ports)
    candidates = await looking.candidates(dry.ports)
    wanted = candidates[:SHOWN] if every else candidates[:1]
    found = [await looking.told(one, way if one in wanted else None) for one in candidates]
    return Explained(looking.request(None), rules_in_words(exchange, _seconds_left(exchange, ports)), tuple(found))


class _Whole(NamedTuple):
    """Where a request could go if its client could use everything."""

    tiers: Sequence[Tier]
    places: Places


class _Looking:
    """One request that is looked at, and who looks. `whole` is None for a client that may use everything.

    Inside, `_told` are the places whose provider told something, by account, once somebody asked for them.
    """

    def __init__(
        self, exchange: Exchange, body: bytes, now: Now, ports: Ports, *, viewer: Viewer, whole: _Whole | None
    ) -> None:
        self._whole = whole
        self._exchange = exchange
        self._body = body
        self._now = now
        self._ports = ports
        self._viewer = viewer
        self._told: dict[Place, list[Place]] | None = None
        self._refusal: Refusal | None = None
        self._waits = False

    def request(self, aside: str | None) -> AskedFor:
        """The request as it was understood."""
        exchange, plan = self._exchange, self._exchange.plan
        assert exchange.peek is not None  # noqa: S101  it was looked at
        return AskedFor(
            dialect=exchange.call.codec.dialect,
            operation=exchange.call.codec.operation,
            model=exchange.peek.model,
            stream=exchange.peek.stream,
            client=exchange.client.name,
            route=None if plan is None else plan.name,
            because=None if plan is None else plan.because,
            excluded_by=() if plan is None else self._excluded_by(plan, exchange.peek.model),
            answered_here=aside,
            refusal=self._refusal,
            waits=self._now.snapshot.queue.wait if self._waits else None,
        )

    def _excluded_by(self, plan: Plan, name: str) -> tuple[str, ...]:
        return self._now.directory.excluding([name, *(target.model for target in plan.targets)])

    async def candidates(self, ports: Ports) -> tuple[explanation.Candidate, ...]:
        """Every candidate, as a walk on a board that is set aside finds them."""
        exchange, aside = self._exchange, replace(self._now, board=self._now.board.aside())
        assert exchange.plan is not None  # noqa: S101  it was planned
        walk = walk_for(exchange, aside, ports, deadline(exchange))
        view = View(
            tiers=exchange.plan.tiers,
            places=aside.places,
            board=aside.board,
            moment=moment_of(exchange, aside, ports),
            prefer=exchange.bond.place if exchange.bond is not None else None,
            attempts=aside.snapshot.limits.attempts,
        )
        gate = admission(exchange, self._body, aside, ports)
        if gate is not None:
            await self._enter(gate)
        counted = self._who_counts(exchange.plan)
        asked = await _led_to_its_end(walk, gate, ports.clock)
        if counted is not None:
            return tuple(one for one in explanation.candidates(view, walk, [counted]) if one.ask is counted)
        if not walk.asks and (lacking := without_accounts(exchange, aside, (), ports.clock.now(), None)) is not None:
            self._refusal = Refusal(lacking.kind, lacking.message)
        if gate is not None and (self._refusal is not None or not asked):
            self._waits = self._ports.queue is not None and gate.only_busy
        return (*explanation.candidates(view, walk, asked), *self._forbidden(view))[:MOST]

    def _forbidden(self, view: View) -> tuple[explanation.Candidate, ...]:
        """What its client may not use."""
        if self._whole is None:
            return ()
        return explanation.forbidden(view._replace(tiers=self._whole.tiers, places=self._whole.places), view)

    def _who_counts(self, plan: Plan) -> Ask | None:
        """The one place that is asked for a count, however it is; None where no count is wanted."""
        if self._exchange.call.codec.operation is not Operation.COUNT_TOKENS:
            return None
        return next(iter(self._now.places.of(plan.targets[0])), None)

    async def _enter(self, gate: Admission) -> None:
        """Would the client's and the route's own limits let it in?"""
        try:
            await gate.enter()
        except GatewayError as error:
            self._refusal = Refusal(error.kind, error.message)

    async def told(self, one: explanation.Candidate, way: Way | None) -> Candidate:
        """One candidate in full, with its request where there is a `way` to ask it."""
        ask, viewer = one.ask, self._viewer
        spill = self._spill(ask)
        found = Candidate(
            provider=ask.target.provider,
            key=viewer.key(ask),
            model=ask.target.model,
            tier=one.tier,
            strategy=one.strategy,
            verdict=one.verdict,
            why=tuple(viewer.words(words, ask) for words in one.why) + (() if spill is None else (spill.why(),)),
            health=self._health(one),
            limits=self._limits(ask),
            told_by_provider=self._windows(ask.place),
            measured=self._measured(ask.place),
            estimate=self._estimate(ask),
        )
        return found if way is None or not one.allowed else await self._asked(found, ask, way)

    def _spill(self, ask: Ask) -> Spill | None:
        """What would be spilled if it were asked."""
        if not self._now.covered:
            return None
        return spill_of(self._exchange.plan, ask.target, ask.credential, self._now, self._ports.clock.time())

    async def _asked(self, found: Candidate, ask: Ask, way: Way) -> Candidate:
        """What the provider would get, or why it would get nothing."""
        now, exchange, refusal = self._now, self._exchange.fork(), None
        provider, dry = now.snapshot.keyed(ask.target.provider, ask.credential), DryRun(self._ports)
        try:
            until = deadline(exchange)
            left = None if until is None else until - self._ports.clock.now()
            limited = within(provider, timing_of(exchange), left)
            await dry.run(partial(way(exchange, dry.ports), ask.target, limited))
        except GatewayError as error:
            limited = provider
            refusal = Refusal(error.kind, self._viewer.message(error.message, provider))
        sent = dry.sent[0] if dry.sent else None
        return replace(
            found,
            deadlines=Deadlines(**asdict(limited.deadlines)),
            dialect=_spoken(exchange.call.codec, provider, ask.target.model),
            lane=exchange.lane,
            losses=tuple(exchange.losses.found),
            refusal=refusal,
            upstream=None if sent is None else self._viewer.request(sent, provider, notes=dry.notes),
        )

    def _health(self, one: explanation.Candidate) -> Health:
        clock, rest = self._ports.clock, one.rest
        return Health(one.state.name.lower(), None if rest is None else _rest(rest, clock.now(), clock.time()))

    def _limits(self, ask: Ask) -> tuple[Room, ...]:
        limiter = self._ports.limiter
        if limiter is None:
            return ()
        provider = ask.target.provider
        scopes = (f"provider:{provider}", f"key:{provider}/{ask.credential}")
        limits: Sequence[Limit] = [one for scope in scopes for one in self._now.snapshot.allowances.get(scope, ())]
        return tuple(Room(self._viewer.words(told(one), ask), round(limiter.share(one), 3)) for one in limits)

    def _windows(self, place: Place) -> tuple[Left, ...]:
        """What the provider told of its limits there, and of those of the account at any of its models: of two words of
        the same limit, that by which less is left."""
        quotas, at = self._now.board.quotas, self._ports.clock.now()
        if self._told is None:
            self._told = {}
            for one in quotas.places():
                self._told.setdefault(one.account, []).append(one)
        found = {window.measure: window for window in quotas.of(place, at)}
        for window in chain.from_iterable(quotas.of(one, at) for one in self._told.get(place.account, ())):
            known = found.get(window.measure)
            if window.measure in OF_ACCOUNTS and (known is None or window.remaining < known.remaining):
                found[window.measure] = window
        return tuple(Left(*window) for window in found.values())

    def _measured(self, place: Place) -> Measured | None:
        meter = self._now.board.meters.of(place)
        if meter is None:
            return None
        errors = round(meter.errors(self._ports.clock.now()), 3)
        return Measured(meter.running, meter.pace(stream=True), meter.pace(stream=False), errors)

    def _estimate(self, ask: Ask) -> Estimate:
        """By the request's length, and by what answers of the model have come to of late."""
        expected = self._ports.expected.of(self._body, ask.target.model, self._exchange.peek)
        usage = Usage(fresh_input=expected.input, output=expected.output)
        price = self._now.price(ask.target, ask.credential, self._ports.clock.time())
        if price is None:
            why = f"no price of {ask.target.model} at {ask.target.provider} is known"
            return Estimate(input_tokens=usage.input, output_tokens=usage.output, why=why)
        bill = cost(usage, price)
        left_out = f"without {', '.join(bill.unpriced)}, which has no price" if bill.unpriced else None
        return Estimate(input_tokens=usage.input, output_tokens=usage.output, dollars=bill.total, why=left_out)


def _seconds_left(exchange: Exchange, ports: Ports) -> float | None:
    until = deadline(exchange)
    return None if until is None else round(until - ports.clock.now(), 3)


async def _led_to_its_end(walk: Walk, gate: Admission | None, clock: Clock) -> list[Ask]:
    """Whom the walk would ask, one after the other, if every one of them failed; at most so many as are told of."""
    asked: list[Ask] = []
    while len(asked) < MOST and (ask := walk.next(clock.now())) is not None:
        if gate is None or await gate.admits(ask, walk):
            asked.append(ask)
    return asked


def _spoken(ours: AnyCodec, provider: Provider, model: str) -> str | None:
    """The dialect that the provider is asked in; None where it does not serve the operation."""
    if isinstance(ours, Codec):
        return their_codec(ours, provider, model).dialect
    spoken = spoken_for(ours.operation, provider, model)
    return ours.dialect if ours.dialect in spoken else next(iter(spoken), None)


def _rest(rest: Resting, now: float, time: float) -> Rest:
    place = rest.place
    return Rest(
        scope="model" if place.model else "key" if place.credential else "provider",
        kind=rest.kind,
        until=round(time + rest.until - now, 1),
        seconds=round(rest.until - now, 1),
        failures=rest.failures,
        told_by_provider=rest.hinted,
    )
