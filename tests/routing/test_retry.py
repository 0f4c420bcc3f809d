"""What is tried after a failure, by the rule of its kind alone."""

from random import Random

import pytest

from isthmus.core.errors import RULES, Kind, Then
from isthmus.routing.retry import CEILING, Step, backoff, step_after


@pytest.mark.parametrize("kind", [kind for kind in Kind if RULES[kind].then is Then.STOP])
def test_a_fault_of_the_request_itself_stops_the_walk(kind: Kind) -> None:
    assert step_after(RULES[kind], 1, last=False) is Step.STOP


@pytest.mark.parametrize("kind", [kind for kind in Kind if RULES[kind].then is not Then.STOP])
def test_a_failure_of_a_target_leads_to_the_next_one(kind: Kind) -> None:
    assert step_after(RULES[kind], 1, last=False) is Step.NEXT


def test_the_last_target_is_tried_once_more_when_that_may_help() -> None:
    assert step_after(RULES[Kind.OVERLOADED], 1, last=True) is Step.AGAIN
    assert step_after(RULES[Kind.OVERLOADED], 2, last=True) is Step.STOP


def test_a_rate_limit_of_the_only_target_is_told_at_once() -> None:
    assert step_after(RULES[Kind.UPSTREAM_LIMITED], 1, last=True) is Step.STOP


def test_the_wait_is_what_was_asked_for_but_never_long() -> None:
    assert backoff(1, 0.5, Random(1)) == 0.5
    assert backoff(1, 3600.0, Random(1)) == CEILING


def test_the_wait_without_a_hint_stays_below_its_ceiling() -> None:
    waits = [backoff(tries, None, Random(seed)) for tries in range(1, 12) for seed in range(20)]
    assert min(waits) > 0
    assert max(waits) <= CEILING
