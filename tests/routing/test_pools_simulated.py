"""Traffic along accounts with windows and rates, one event after the other in simulated time: what is covered by the
subscription, what is paid, what is asked in vain, and how often a conversation loses its cache."""

import heapq
from collections import Counter
from collections.abc import Iterator
from itertools import count
from random import Random

import pytest

from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.routing.board import Board
from isthmus.routing.order import Moment
from isthmus.routing.places import Ask, Credential, Places, PoolStrategy
from isthmus.routing.plan import Target, Tier
from isthmus.routing.walk import Walk

CODEX, PAID = Target("codex", "m"), Target("paid", "m")
TIERS = (Tier((CODEX,)), Tier((PAID,)))
WINDOW = 5 * 3600.0
CONVERSATIONS = 20


class Accounts:
    """What the vendor does: each account has a window of `most` requests, and a rate."""

    def __init__(self, most: int, per_minute: float) -> None:
        self._most, self._rate = most, per_minute / 60
        self._began: dict[str, float] = {}
        self._used: Counter[str] = Counter()
        self._room: dict[str, tuple[float, float]] = {}

    def refusal(self, key: str, now: float) -> GatewayError | None:
        """Why a request that arrives now is refused; None where it is answered."""
        if now >= self._began.get(key, -WINDOW) + WINDOW:
            self._began[key], self._used[key] = now, 0
        if self._used[key] >= self._most:
            return GatewayError(Kind.QUOTA_SPENT, "spent", retry_after=self._began[key] + WINDOW - now)
        room, at = self._room.get(key, (60 * self._rate, now))
        room = min(60 * self._rate, room + (now - at) * self._rate)
        self._room[key] = (room - 1 if room >= 1 else room), now
        if room < 1:
            return GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=(1 - room) / self._rate)
        self._used[key] += 1
        return None


class Traffic:
    """Requests of some conversations. `told` counts what became of them."""

    def __init__(self, accounts: Accounts, strategy: PoolStrategy, names: str) -> None:
        self.told: Counter[str] = Counter()
        self._dice, self._board, self._accounts = Random(7), Board(), accounts
        keys = {"codex": tuple(map(Credential, names)), "paid": (Credential("key"),)}
        self._places = Places(keys, pools={"codex": strategy})
        self._last: dict[int, str] = {}

    def play(self, per_second: float, seconds: float) -> Counter[str]:
        order, queue, begin = count(), list[tuple[float, int, Iterator[float]]](), 0.0
        while (begin := begin + self._dice.expovariate(per_second)) < seconds:
            heapq.heappush(queue, (begin, next(order), self._request(begin)))
        self.told["requests"] = len(queue)
        while queue:
            _, _, request = heapq.heappop(queue)
            if (later := next(request, None)) is not None:
                heapq.heappush(queue, (later, next(order), request))
        return self.told

    def _request(self, now: float) -> Iterator[float]:
        health, told = self._board.health, self.told
        walk = Walk(TIERS, self._places, self._board, patience=5.0, moment=Moment(now))
        while (ask := walk.next(now)) is not None:
            if ask.wait:
                now += ask.wait
                yield now
            health.begin(ask.place, now)
            refusal = None if ask.target == PAID else self._accounts.refusal(ask.credential, now)
            began, now = now, now + (0.2 if refusal else self._dice.uniform(2, 20))
            yield now
            if refusal is None:
                health.succeeded(ask.place, began)
                self._answered(ask)
                return
            told["in vain"] += 1
            hint = refusal.retry_after
            health.failed(ask.place, refusal.kind, Rest.CREDENTIAL, now, hint=hint, since=began)
            assert walk.failed(ask, refusal, self._dice.random())
        told["failed"] += 1

    def _answered(self, ask: Ask) -> None:
        self.told["paid" if ask.target == PAID else "covered"] += 1
        conversation = self._dice.randrange(CONVERSATIONS)
        if self._last.get(conversation, ask.credential) != ask.credential:
            self.told["cache lost"] += 1
        self._last[conversation] = ask.credential


@pytest.mark.parametrize("strategy", list(PoolStrategy))
def test_windows_are_used_up_to_the_last_request_before_anything_is_paid(strategy: PoolStrategy) -> None:
    told = Traffic(Accounts(most=100, per_minute=600), strategy, "abc").play(0.05, 10 * 3600)
    assert told["failed"] == 0
    assert told["covered"] == 2 * 3 * 100, "two windows of each of three accounts"
    assert told["paid"] == told["requests"] - told["covered"]
    assert told["in vain"] <= 3 * 60, "a spent account is tried every ten minutes"


def test_who_stays_with_one_keeps_the_caches_that_taking_turns_loses() -> None:
    lost = {
        strategy: Traffic(Accounts(most=300, per_minute=600), strategy, "abc").play(0.05, 10 * 3600)["cache lost"]
        for strategy in PoolStrategy
    }
    assert lost[PoolStrategy.STICKY] <= 8 * CONVERSATIONS
    assert lost[PoolStrategy.ROUND_ROBIN] > 5 * lost[PoolStrategy.STICKY]


@pytest.mark.parametrize("strategy", list(PoolStrategy))
def test_more_than_the_rate_of_one_account_is_shared_with_the_next_and_little_is_asked_in_vain(
    strategy: PoolStrategy,
) -> None:
    told = Traffic(Accounts(most=100_000, per_minute=20), strategy, "ab").play(0.55, 3600)
    assert told["failed"] == 0
    assert told["covered"] > 0.99 * told["requests"]
    assert told["in vain"] < 0.15 * told["requests"]


def test_what_is_more_than_all_rates_is_paid_and_not_asked_for_again_and_again() -> None:
    told = Traffic(Accounts(most=100_000, per_minute=20), PoolStrategy.STICKY, "abc").play(1.5, 1800)
    assert told["failed"] == 0
    assert told["covered"] > 0.95 * 3 * 20 * 30
    assert told["in vain"] < 0.4 * told["requests"]
