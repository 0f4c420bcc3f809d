"""Clients' traffic through the gateway's own walk, health and limits, one event after the other in simulated time."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from bench.simulation.world import KEYS, PER_MINUTE, PROVIDERS, Outcome, World
from isthmus.routing.board import Board
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Grant, Ledger, Limit, Measure
from isthmus.routing.order import Moment, Scales, Used
from isthmus.routing.places import Ask, Credential, Places
from isthmus.routing.plan import Strategy, Target, Tier
from isthmus.routing.walk import Walk

CLIENTS = 10_000
EVERY = 90.0
"""Seconds between two requests of one client, on average."""
DEADLINE = 30.0
"""Seconds after which a client no longer wants a first token."""
ATTEMPTS = 6
TARGETS = tuple(Target(f"p{number}", "m") for number in range(PROVIDERS))
PLACES = Places({target.provider: tuple(Credential(f"k{key}") for key in range(KEYS)) for target in TARGETS})


class Result(NamedTuple):
    """Of one way. `times` are seconds to the first token, `wasted` asks without an answer, `spent` the mean price."""

    name: str
    requests: int
    times: list[float]
    asks: int
    wasted: int
    spent: float

    @property
    def success(self) -> float:
        return len(self.times) / self.requests

    def time(self, share: float) -> float:
        """The time that so many of the answers did not exceed."""
        return self.times[min(len(self.times) - 1, int(share * len(self.times)))]


class Run:
    """One way of sending requests through one world. `tries` is set where no gateway decides, but chance."""

    def __init__(self, name: str, strategy: Strategy | None, tries: int, seed: int, seconds: float) -> None:
        self.name = name
        self.tries = tries
        self.world = World(seed, seconds)
        self.dice = Random(seed)
        self.seconds = seconds
        self.board = Board()
        self.ledger = Ledger()
        self.limits = {ask.place: _limit(ask) for target in TARGETS for ask in PLACES.of(target)}
        self.tiers = None if strategy is None else (Tier(TARGETS, strategy),)
        self.scales = Scales(share=self._used, price=self._price)
        self.now = 0.0
        self.times: list[float] = []
        self.requests = self.asks = self.wasted = 0
        self.spent = 0.0

    def play(self) -> Result:
        """All of it. One seed gives one traffic and one world, whatever the way."""
        order, queue = itertools.count(), list[tuple[float, int, Iterator[float]]]()
        begin, arrivals = 0.0, Random(self.dice.random())
        while (begin := begin + arrivals.expovariate(CLIENTS / EVERY)) < self.seconds:
            request = self._by_chance(begin) if self.tiers is None else self._request(begin, self.tiers)
            heapq.heappush(queue, (begin, next(order), request))
        self.requests = len(queue)
        while queue:
            self.now, _, request = heapq.heappop(queue)
            if (later := next(request, None)) is not None:
                heapq.heappush(queue, (later, next(order), request))
        return Result(
            self.name, self.requests, sorted(self.times), self.asks, self.wasted, self.spent / max(1, len(self.times))
        )

    def _request(self, begin: float, tiers: Sequence[Tier]) -> Iterator[float]:
        """One request through the gateway: yields the times at which it goes on, ends when it is over."""
        now, board = begin, self.board
        moment = Moment(now, stream=True, draw=self.dice.random(), scales=self.scales)
        walk, tries, failed = Walk(tiers, PLACES, board, patience=DEADLINE, moment=moment), 0, set[str]()
        while tries < ATTEMPTS and (ask := walk.next(now)) is not None and now - begin < DEADLINE:
            if ask.wait > 0:
                now += ask.wait
                yield now
            grant = self.ledger.claim((Claim(self.limits[ask.place], 1),), now)
            if not isinstance(grant, Grant):
                walk.refused(ask, grant.wait, now, limit="requests a minute")
                continue
            tries += 1
            (board.retries.repeated if ask.target.provider in failed else board.retries.asked)(ask.target.provider, now)
            board.health.begin(ask.place, now)
            meter = board.meters.began(ask.place, now)
            outcome = self._sent(ask, now)
            now += outcome.seconds
            yield now
            if outcome.error is None:
                board.health.answered(ask.place)
                meter.answered(outcome.seconds, now, stream=True)
                self._answered(ask, now - begin)
                yield now + outcome.serving
                meter.ended()
                return
            meter.ended()
            meter.failed(now)
            failed.add(ask.target.provider)
            rule = outcome.error.rule
            board.health.failed(ask.place, outcome.error.kind, rule.rest, now, hint=outcome.error.retry_after)
            if not walk.failed(ask, outcome.error, self.dice.random()):
                return

    def _by_chance(self, begin: float) -> Iterator[float]:
        """One request to a place at random, and after a failure to another: a client that knows nothing."""
        now = begin
        for _ in range(self.tries):
            ask = self.dice.choice(PLACES.of(self.dice.choice(TARGETS)))
            outcome = self._sent(ask, now)
            now += outcome.seconds
            yield now
            if outcome.error is None:
                self._answered(ask, now - begin)
                return

    def _sent(self, ask: Ask, now: float) -> Outcome:
        self.asks += 1
        outcome = self.world.ask(ask.place, now)
        self.wasted += outcome.error is not None
        return outcome

    def _answered(self, ask: Ask, seconds: float) -> None:
        if seconds <= DEADLINE:
            self.times.append(seconds)
            self.spent += self._price(ask)

    def _used(self, place: Place) -> Used:
        share = self.ledger.share(self.limits[place], self.now)
        return Used(requests=share, most=share)

    def _price(self, ask: Ask) -> float:
        return self.world.prices[int(ask.target.provider[1:])]


def _limit(ask: Ask) -> Limit:
    return Limit(f"key:{ask.target.provider}/{ask.credential}", Measure.REQUESTS, PER_MINUTE, 60, 12)


def ways() -> list[tuple[str, Strategy | None, int]]:
    """Every strategy, and two ways without a gateway to hold them against."""
    blind: list[tuple[str, Strategy | None, int]] = [
        ("no gateway, one try", None, 1),
        ("no gateway, three tries", None, 3),
    ]
    return blind + [(strategy.value, strategy, ATTEMPTS) for strategy in Strategy]
