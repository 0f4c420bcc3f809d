"""How many requests a provider carries at a time, found out by trying."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from isthmus.routing.adaptive import SLOW, AdaptiveRule, Bound

RULE = AdaptiveRule(most=100, least=4)


def test_it_grows_by_one_for_each_round_of_answers_while_it_is_reached() -> None:
    bound = Bound(RULE)
    assert bound.size == 50
    for _ in range(51):
        bound.answered(0.1, bound.size, 0.0)
    assert bound.size == 51


def test_it_does_not_grow_while_it_is_not_used() -> None:
    bound = Bound(RULE)
    for _ in range(1000):
        bound.answered(0.1, 10, 0.0)
    assert bound.size == 50


def test_it_shrinks_once_for_the_refusals_of_one_moment() -> None:
    bound = Bound(RULE)
    bound.answered(0.5, 1, 0.0)
    for _ in range(20):
        bound.burdened(10.0)
    assert bound.size == 40
    bound.burdened(10.6)
    assert bound.size == 32


def test_answers_that_begin_far_later_than_the_best_ones_shrink_it() -> None:
    bound = Bound(RULE)
    bound.answered(1.0, 50, 0.0)
    before = bound.size
    bound.answered(SLOW + 0.1, 50, 5.0)
    assert bound.size < before


def test_a_best_time_that_is_never_reached_again_is_forgotten() -> None:
    bound = Bound(RULE)
    bound.answered(1.0, 1, 0.0)
    for second in range(400):
        bound.answered(2 * SLOW, 1, float(second))
    size = bound.size
    bound.answered(2 * SLOW, size, 1000.0)
    assert bound.size >= size


def test_it_finds_what_a_provider_carries() -> None:
    """A provider that carries 20 at a time and refuses the next."""
    bound = Bound(RULE)
    seen = []
    for second in range(2000):
        running = bound.size
        if running > 20:
            bound.burdened(float(second))
        for _ in range(running):
            bound.answered(0.1, min(running, 20), float(second))
        seen.append(bound.size)
    assert all(14 <= size <= 22 for size in seen[100:])


STEPS = st.lists(st.tuples(st.sampled_from(["answered", "burdened"]), st.floats(0.001, 60), st.integers(1, 200)))


@given(STEPS)
def test_it_stays_between_its_least_and_its_most(steps: Sequence[tuple[str, float, int]]) -> None:
    bound, now = Bound(RULE), 0.0
    for deed, seconds, running in steps:
        now += seconds
        if deed == "answered":
            bound.answered(seconds, running, now)
        else:
            bound.burdened(now)
        assert RULE.least <= bound.size <= RULE.most
