"""What a word for effort stands for, and what a number of tokens comes to."""

import pytest

from isthmus.core.reasoning import BUDGETS, LEVELS, budget_of, effort_of


def test_levels_rise() -> None:
    assert list(BUDGETS.values()) == sorted(BUDGETS.values())
    assert LEVELS == ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def test_a_word_without_a_rank_is_the_usual_one() -> None:
    assert budget_of("thorough") == budget_of("medium") == 8192


@pytest.mark.parametrize(
    ("budget", "effort"),
    [(1, "low"), (1024, "low"), (1025, "medium"), (8192, "medium"), (8193, "high"), (200_000, "high")],
)
def test_a_budget_comes_to_a_level(budget: int, effort: str) -> None:
    assert effort_of(budget) == effort
