"""Whose turn it is, who is due and who is held: by pool and tier, bounded, and looked at without being taken."""

import pytest

from isthmus.routing import turns as module
from isthmus.routing.health import Place
from isthmus.routing.plan import Strategy, Target, Tier
from isthmus.routing.turns import Turns

TIER, OTHER = (Tier((Target(name, "m"),), Strategy.STICKY) for name in ("one", "two"))
HERE, THERE = Place("one", "key", "m"), Place("two", "key", "m")


def test_turns_go_round_in_each_pool_by_itself() -> None:
    turns = Turns()
    assert [turns.next("a", 3) for _ in range(4)] == [0, 1, 2, 0]
    assert turns.next("b", 3) == 0


def test_a_pool_that_has_become_smaller_begins_again() -> None:
    turns = Turns()
    for _ in range(3):
        turns.next("a", 3)
    assert turns.next("a", 2) == 0


def test_tiers_that_are_the_same_share_what_is_due_and_held() -> None:
    turns, twin = Turns(), Tier((Target("one", "m"),), Strategy.STICKY)
    turns.keep_credit(TIER, {HERE: 0.5})
    turns.hold(TIER, HERE)
    assert (turns.credit(twin), turns.held(twin)) == ({HERE: 0.5}, HERE)
    assert (turns.credit(OTHER), turns.held(OTHER)) == ({}, None)


def test_what_is_taken_aside_is_not_taken() -> None:
    turns = Turns()
    turns.next("a", 3)
    turns.keep_credit(TIER, {HERE: 0.5})
    turns.hold(TIER, HERE)
    aside = turns.aside()
    assert (aside.next("a", 3), aside.credit(TIER), aside.held(TIER)) == (1, {HERE: 0.5}, HERE)
    aside.keep_credit(TIER, {HERE: -1.0})
    aside.hold(TIER, THERE)
    assert (aside.credit(TIER), aside.held(TIER)) == ({HERE: -1.0}, THERE)
    assert (turns.next("a", 3), turns.credit(TIER), turns.held(TIER)) == (1, {HERE: 0.5}, HERE)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TURNS", 2)
    turns = Turns()
    for pool in ("a", "b"):
        turns.next(pool, 3)
    assert turns.next("a", 3) == 1
    turns.next("c", 3)
    assert turns.next("a", 3) == 0
