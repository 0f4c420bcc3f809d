"""How a name is understood."""

import pytest

from isthmus.routing.names import REMEMBERED, Directory, UnknownName
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Route, Target, first_of

OFFERS = (
    Offer("openai", ("gpt-5", "o4-mini"), ("gpt-*",)),
    Offer("bedrock", ("anthropic.claude-sonnet-4-5-20250929-v1:0",)),
    Offer("openrouter", ("anthropic/claude-sonnet-4.5", "gpt-5")),
    Offer("local", ("smollm2-135m",)),
)
ROUTES = {"fast": Route(tiers=first_of(Target("local", "smollm2-135m"), Target("openai", "gpt-5")))}


@pytest.fixture
def directory() -> Directory:
    return Directory(ROUTES, OFFERS)


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("fast", [("local", "smollm2-135m"), ("openai", "gpt-5")]),
        ("gpt-5", [("openai", "gpt-5"), ("openrouter", "gpt-5")]),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", [("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0")]),
        ("anthropic/claude-sonnet-4.5", [("openrouter", "anthropic/claude-sonnet-4.5")]),
        ("openai://gpt-5", [("openai", "gpt-5")]),
        ("[openai] gpt-5", [("openai", "gpt-5")]),
        ("openai/gpt-5", [("openai", "gpt-5")]),
        ("openai:gpt-5", [("openai", "gpt-5")]),
        ("openrouter/meta/llama-4", [("openrouter", "meta/llama-4")]),
        ("gpt-9-turbo", [("openai", "gpt-9-turbo")]),
        ("o4-mini:latest", [("openai", "o4-mini")]),
        ("fast:latest", [("local", "smollm2-135m"), ("openai", "gpt-5")]),
    ],
)
def test_a_name_leads_to_its_targets(directory: Directory, name: str, targets: list[tuple[str, str]]) -> None:
    assert [(target.provider, target.model) for target in directory.plan(name).targets] == targets


@pytest.mark.parametrize("name", ["[Gemini CLI] m", "[gemini-cli] m", "GEMINI-CLI/m", "Gemini-CLI://m", "gemini-cli:m"])
def test_a_provider_is_known_by_the_name_that_people_are_shown(name: str) -> None:
    found = Directory({}, (Offer("gemini-cli"), Offer("other", ("m",))))
    assert found.plan(name).targets == (Target("gemini-cli", "m"),)


def test_an_unknown_name_is_told_with_the_nearest_ones(directory: Directory) -> None:
    with pytest.raises(UnknownName) as caught:
        directory.plan("smollm-135m")
    assert caught.value.near[0] == "smollm2-135m"


@pytest.mark.parametrize("name", ["", "openai/", "nobody/else", "://", "[openai]", "[] x"])
def test_a_name_that_says_nothing_useful_is_unknown(directory: Directory, name: str) -> None:
    with pytest.raises(UnknownName):
        directory.plan(name)


def test_the_nearest_of_very_many_names_is_found_too() -> None:
    names = tuple(f"model-{number}" for number in range(3000))
    with pytest.raises(UnknownName) as caught:
        Directory(ROUTES, (*OFFERS, Offer("many", names))).plan("smollm-135m")
    assert caught.value.near[0] == "smollm2-135m"


def test_each_name_is_listed_once_with_its_first_owner(directory: Directory) -> None:
    owners = dict(directory.names())
    assert owners["gpt-5"] == "openai"
    assert owners["fast"] == "isthmus"
    assert len(owners) == len(directory.names())


def test_made_up_names_do_not_fill_the_memory(directory: Directory) -> None:
    for number in range(REMEMBERED + 100):
        directory.plan(f"gpt-{number}")
    assert len(directory._known) == REMEMBERED
