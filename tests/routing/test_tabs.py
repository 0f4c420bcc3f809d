"""A tab grants and counts as its ledger does: only sooner."""

from random import Random

import pytest

from isthmus.core.periods import Period
from isthmus.routing import limits
from isthmus.routing.limits import Claim, Grant, Ledger, Limit, Measure, Tab, Taken

REQUESTS = Limit("client:alice", Measure.REQUESTS, 12, 60, 12)
TOKENS = Limit("client:alice", Measure.TOKENS, 4000, 60, 12)
DAY_TOKENS = Limit("team:blue", Measure.TOKENS, 20_000, 86_400)
BUDGET = Limit("client:alice", Measure.MICRODOLLARS, 9000, period=Period.DAY)
RUNNING = Limit("client:alice", Measure.RUNNING, 3)
ALL = (REQUESTS, TOKENS, DAY_TOKENS, BUDGET, RUNNING)


class Now:
    """A clock that is put forward, and sometimes back."""

    def __init__(self) -> None:
        self.at = 1_790_000_000.0

    def time(self) -> float:
        return self.at


def amounts(tokens: int, microdollars: int) -> list[Claim]:
    said = {Measure.TOKENS: tokens, Measure.MICRODOLLARS: microdollars}
    return [Claim(limit, said.get(limit.measure, 1)) for limit in ALL]


def take(tab: Tab, tokens: int = 0, microdollars: int = 0) -> Taken | None:
    taken = Taken()
    return taken if tab.take(taken, tokens, microdollars) else None


@pytest.mark.parametrize("seed", range(40))
def test_a_tab_says_and_counts_what_the_ledger_does(seed: int) -> None:
    """The same claims at the same times: one ledger has them one by one, the other from a tab where that grants."""
    dice, now = Random(seed), Now()
    plain, quick = Ledger(), Ledger()
    tab = Tab(quick, ALL, now.time)
    running: list[tuple[Grant, Grant | Taken]] = []
    for _ in range(300):
        now.at += dice.choice((0.0, 0.1, 3.0, 3.0, 9.0, 61.0, 4000.0, -2.0))
        if running and dice.random() < 0.5:
            grant, held = running.pop(dice.randrange(len(running)))
            tokens, microdollars = dice.randrange(2000), dice.randrange(2000)
            spent = {Measure.TOKENS: tokens, Measure.MICRODOLLARS: microdollars}
            plain.settle(grant, spent, now.at)
            if isinstance(held, Taken):
                tab.settle(held, tokens, microdollars)
            else:
                quick.settle(held, spent, now.at)
        else:
            claims = amounts(dice.choice((1, 100, 900, 5000)), dice.choice((1, 10, 1500)))
            found = plain.claim(claims, now.at)
            taken = take(tab, claims[1].amount, claims[3].amount) or quick.claim(claims, now.at)
            assert isinstance(found, Grant) is isinstance(taken, Grant | Taken)
            if isinstance(found, Grant) and isinstance(taken, Grant | Taken):
                running.append((found, taken))
        assert [quick.used(limit, now.at) for limit in ALL] == [plain.used(limit, now.at) for limit in ALL]


def test_what_has_no_room_takes_nothing_of_what_has() -> None:
    ledger, now = Ledger(), Now()
    tab = Tab(ledger, ALL, now.time)
    assert take(tab, TOKENS.most + 1, 0) is None
    assert [ledger.used(limit, now.at) for limit in ALL] == [0, 0, 0, 0, 0]


def test_what_is_taken_of_a_tab_and_claimed_otherwise_is_counted_together() -> None:
    ledger, now = Ledger(), Now()
    tab = Tab(ledger, (REQUESTS,), now.time)
    for _ in range(6):
        assert take(tab) is not None
        assert isinstance(ledger.claim([Claim(REQUESTS, 1)], now.at), Grant)
    assert take(tab) is None


def test_a_window_that_its_ledger_made_room_of_is_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_WINDOWS", 2)
    ledger, now = Ledger(), Now()
    tab = Tab(ledger, (REQUESTS,), now.time)
    first = take(tab)
    for name in "abc":
        ledger.claim([Claim(Limit(f"client:{name}", Measure.REQUESTS, 5, 60, 12), 1)], now.at)
    assert take(tab) is not None
    assert first is not None
    tab.settle(first, 0, 0)
    assert ledger.used(REQUESTS, now.at) == 1


def test_a_window_that_is_in_use_is_kept_before_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tab takes does not change the order in which windows were claimed of; it is seen all the same."""
    monkeypatch.setattr(limits, "MOST_WINDOWS", 3)
    ledger, now = Ledger(), Now()
    tab = Tab(ledger, (REQUESTS,), now.time)
    take(tab)
    for name in "ab":
        ledger.claim([Claim(Limit(f"client:{name}", Measure.REQUESTS, 5, 60, 12), 1)], now.at)
    take(tab)
    ledger.claim([Claim(Limit("client:c", Measure.REQUESTS, 5, 60, 12), 1)], now.at)
    assert ledger.used(REQUESTS, now.at) == 2
