"""A model that is asked for a name which nobody offers."""

import pytest

from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.naming import Naming
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Route, Target, first_of

STAND_INS = {"opus": "big", "claude-opus-*": "big", "claude-sonnet-*": "small"}
CODEX = Offer("codex", ("big", "small"), stand_ins=STAND_INS)


def directory(*others: Offer, naming: Naming = Naming(), codex: Offer = CODEX) -> Directory:  # noqa: B008  frozen
    return Directory({}, (codex, *others), naming)


@pytest.mark.parametrize("name", ["opus", "claude-opus-4-6", "claude-opus-4-5-20251101", "Claude-Opus-4-6-1M"])
def test_it_is_asked_where_nobody_offers_the_name(name: str) -> None:
    plan = directory().plan(name)
    assert plan.targets == (Target("codex", "big"),)
    assert "big of codex stands in for it" in plan.because


@pytest.mark.parametrize(
    "other",
    [
        Offer("anthropic", ("claude-opus-4-6",)),
        Offer("bedrock", patterns=("claude-*",)),
        Offer("proxy", ("mine",), aliases={"claude-opus-4-6": "mine"}),
    ],
)
def test_whoever_offers_the_name_comes_before(other: Offer) -> None:
    assert {target.provider for target in directory(other).plan("claude-opus-4-6").targets} == {other.provider}


def test_an_alias_and_a_route_come_before() -> None:
    aliased = directory(Offer("one", ("m",)), naming=Naming(aliases={"claude-opus-*": ("one/m",)}))
    assert aliased.plan("claude-opus-4-6").targets == (Target("one", "m"),)
    routed = Directory({"opus": Route(tiers=first_of(Target("one", "m")))}, (CODEX,))
    assert routed.plan("opus").targets == (Target("one", "m"),)


def test_the_default_model_comes_behind() -> None:
    made = directory(Offer("one", ("m",)), naming=Naming(default="m"))
    assert made.plan("opus").targets == (Target("codex", "big"),)
    assert made.plan("zork").targets == (Target("one", "m"),)


def test_of_several_the_preferred_provider_comes_first() -> None:
    made = directory(Offer("two", stand_ins={"opus": "other"}), naming=Naming(priority={"two": 1}))
    assert made.plan("opus").targets == (Target("two", "other"), Target("codex", "big"))


def test_a_name_without_one_is_unknown() -> None:
    with pytest.raises(UnknownName):
        directory().plan("claude-haiku-4-5")


def test_a_model_that_is_excluded_stands_in_for_nobody() -> None:
    excluding = Offer("codex", ("big", "small"), excluded=("big",), stand_ins=STAND_INS)
    with pytest.raises(UnknownName):
        directory(codex=excluding).plan("opus")


def test_names_that_somebody_stands_in_for_are_not_listed() -> None:
    assert [name for name, _ in directory().names()] == ["big", "small"]
