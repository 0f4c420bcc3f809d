"""A name may end in how much the model is to think."""

import pytest

from isthmus.core.chat import ReasoningMode, ReasoningOptions
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Route, Target, first_of
from isthmus.routing.suffixes import split_suffix

ON, OFF = ReasoningMode.ON, ReasoningMode.OFF
OFFERS = (
    Offer("anthropic", ("claude-sonnet-4-5",), ("*",)),
    Offer("moonshot", ("kimi-k2", "kimi-k2-thinking")),
    Offer("xai", ("grok-4-fast-reasoning",)),
)
KIMI = Target("moonshot", "kimi-k2")
ROUTES = {"smart": Route(tiers=first_of(KIMI))}


@pytest.fixture
def directory() -> Directory:
    return Directory(ROUTES, OFFERS)


@pytest.mark.parametrize(
    ("name", "base", "options"),
    [
        ("claude-sonnet-4-5-thinking", "claude-sonnet-4-5", ReasoningOptions(ON)),
        ("claude-sonnet-4-5-thinking-low", "claude-sonnet-4-5", ReasoningOptions(ON, budget=1024)),
        ("claude-sonnet-4-5-thinking-medium", "claude-sonnet-4-5", ReasoningOptions(ON, budget=8192)),
        ("claude-sonnet-4-5-thinking-high", "claude-sonnet-4-5", ReasoningOptions(ON, budget=24576)),
        ("claude-sonnet-4-5-thinking-max", "claude-sonnet-4-5", ReasoningOptions(ON, budget=32768)),
        ("gemini-2.5-flash-thinking-2048", "gemini-2.5-flash", ReasoningOptions(ON, budget=2048)),
        ("gemini-2.5-flash-nothinking", "gemini-2.5-flash", ReasoningOptions(OFF)),
        ("gemini-2.5-flash-reasoning", "gemini-2.5-flash", ReasoningOptions(ReasoningMode.ADAPTIVE)),
    ],
)
def test_the_ending_says_how_much(name: str, base: str, options: ReasoningOptions) -> None:
    assert split_suffix(name) == (base, options)


@pytest.mark.parametrize("name", ["gpt-5", "-thinking", "claude-thinking-hard", "qwen3-235b-a22b-thinking-2507b"])
def test_other_names_have_none(name: str) -> None:
    assert split_suffix(name) is None


def test_a_model_is_asked_under_its_own_name(directory: Directory) -> None:
    plan = directory.plan("claude-sonnet-4-5-thinking-low")
    assert [(one.provider, one.model) for one in plan.targets] == [("anthropic", "claude-sonnet-4-5")]
    assert plan.reasoning == ReasoningOptions(ON, budget=1024)


def test_a_provider_may_be_named_in_front(directory: Directory) -> None:
    plan = directory.plan("anthropic/claude-opus-5-thinking-high")
    assert [(one.provider, one.model) for one in plan.targets] == [("anthropic", "claude-opus-5")]


def test_a_route_may_be_told_to_think(directory: Directory) -> None:
    plan = directory.plan("smart-thinking")
    assert (plan.targets, plan.reasoning) == ((KIMI,), ReasoningOptions(ON))


@pytest.mark.parametrize("name", ["kimi-k2-thinking", "grok-4-fast-reasoning"])
def test_a_model_that_is_called_so_is_meant_as_it_is(directory: Directory, name: str) -> None:
    plan = directory.plan(name)
    assert (plan.targets[0].model, plan.reasoning) == (name, None)


def test_an_ending_on_a_name_that_nobody_knows_makes_it_no_better_known() -> None:
    with pytest.raises(UnknownName):
        Directory({}, (Offer("moonshot", ("kimi-k2",)),)).plan("other-thinking")
