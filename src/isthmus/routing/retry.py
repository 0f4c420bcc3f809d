"""What may be tried after a failure. Reads the rule of the error's kind and nothing else."""

from enum import Enum, auto
from random import Random

from isthmus.core.errors import Rule, Then

TRIES_AGAIN = 1
"""How often one target is tried again in a row when its rule permits that."""
BASE = 0.25
"""Seconds before the first repetition."""
CEILING = 2.0
"""Seconds that a repetition is put off at most."""


class Step(Enum):
    STOP = auto()
    NEXT = auto()
    AGAIN = auto()


def step_after(rule: Rule, tries_here: int, *, last: bool) -> Step:
    """What to do after `tries_here` failed tries at a target; `last`: the plan has no further one."""
    match rule.then:
        case Then.STOP:
            return Step.STOP
        case Then.AGAIN if tries_here <= TRIES_AGAIN and last:
            return Step.AGAIN
        case _:
            return Step.STOP if last else Step.NEXT


def backoff(tries_here: int, retry_after: float | None, dice: Random) -> float:
    """Seconds to wait before trying the same target again: what it asked for, else doubling with jitter."""
    if retry_after is not None:
        return min(retry_after, CEILING)
    return min(CEILING, BASE * 2.0 ** (tries_here - 1)) * dice.uniform(0.5, 1.0)
