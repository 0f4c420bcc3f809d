"""How much thinking a word stands for, and which word a number of tokens comes nearest to: once, for every dialect."""

from collections.abc import Mapping

BUDGETS: Mapping[str, int] = {
    "minimal": 128,
    "low": 1024,
    "medium": 8192,
    "high": 32768,
    "xhigh": 65536,
    "max": 131072,
}
"""Tokens of thinking for each level of effort, lowest first. What a model cannot think is fitted to it."""
LEVELS = ("none", *BUDGETS)
"""All words for effort that have a rank, lowest first."""
USUAL = "medium"
"""What is meant by one who only says that there is to be thinking, or who says a word that has no rank."""


def budget_of(effort: str) -> int:
    """The tokens that a level stands for; those of the usual one for a word that has no rank."""
    return BUDGETS.get(effort, BUDGETS[USUAL])


def effort_of(budget: int) -> str:
    """The level that a budget of tokens comes to: low, medium or high."""
    return next((word for word in ("low", "medium") if budget <= BUDGETS[word]), "high")
