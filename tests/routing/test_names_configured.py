"""Aliases, fallbacks and the default model: what a configuration makes of names."""

import pytest

from isthmus.core.chat import ReasoningMode
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.naming import Naming
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Branch, Hedge, Route, Rules, Strategy, Target, Tier, When, first_of

OFFERS = (
    Offer("openai", ("gpt-5", "gpt-5-mini")),
    Offer("anthropic", ("claude-opus-4-8", "claude-haiku-4-5")),
    Offer("openrouter", ("openai/gpt-5", "glm-5"), ("*",)),
)
SMART = Route(
    tiers=first_of(Target("anthropic", "claude-opus-4-8")), rules=Rules(hedge=Hedge()), fallbacks=("openai/gpt-5",)
)


def directory(
    aliases: dict[str, tuple[str, ...]] | None = None,
    fallbacks: dict[str, tuple[str, ...]] | None = None,
    default: str | None = None,
    routes: dict[str, Route] | None = None,
) -> Directory:
    naming = Naming(aliases=aliases or {}, fallbacks=fallbacks or {}, default=default)
    return Directory({"smart": SMART} if routes is None else routes, OFFERS[:2], naming)


def written(directory: Directory, name: str) -> list[str]:
    return [f"{target.provider}/{target.model}" for target in directory.plan(name).targets]


def test_an_alias_has_the_rules_and_fallbacks_of_the_route_it_leads_to() -> None:
    plan = directory({"best": ("smart",)}).plan("best")
    assert (plan.name, plan.rules.hedge) == ("smart", Hedge())
    assert [target.provider for target in plan.targets] == ["anthropic", "openai"]
    assert plan.because == "best is an alias; smart is a route; after it gpt-5"


def test_an_alias_of_several_tries_them_in_their_order() -> None:
    found = directory({"pair": ("openai/gpt-5-mini", "smart", "gpt-5-mini")})
    assert written(found, "pair") == ["openai/gpt-5-mini", "anthropic/claude-opus-4-8"]
    assert found.plan("pair").because == "pair is an alias of gpt-5-mini, smart, gpt-5-mini"


def test_several_aliases_may_lead_to_one_model() -> None:
    found = directory({"a": ("gpt-5",), "b": ("a",), "c": ("openai://gpt-5",)})
    assert {name: written(found, name) for name in "abc"} == {name: ["openai/gpt-5"] for name in "abc"}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("claude-sonnet-9", "openai/gpt-5"),
        ("Claude-Sonnet-9", "openai/gpt-5"),
        ("claude-haiku-9", "openai/gpt-5-mini"),
        ("claude-haiku-9-thinking-low", "openai/gpt-5-mini"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("claude-opus", "anthropic/claude-opus-4-8"),
    ],
)
def test_the_pattern_that_says_the_most_wins_and_a_name_that_is_offered_beats_it(name: str, target: str) -> None:
    aliases = {"claude-*": ("gpt-5",), "claude-haiku-*": ("gpt-5-mini",), "claude-opus": ("claude-opus-4-8",)}
    assert written(directory(aliases), name)[0] == target


def test_an_alias_beats_a_model_of_its_name() -> None:
    assert written(directory({"gpt-5": ("openai/gpt-5-mini",)}), "gpt-5") == ["openai/gpt-5-mini"]


def test_an_alias_names_the_provider_before_another_providers_model_of_that_name() -> None:
    found = Directory({}, OFFERS, Naming(aliases={"a": ("openai/gpt-5",)}))
    assert found.plan("a").targets == (Target("openai", "gpt-5"),)
    assert found.plan("openai/gpt-5").targets[0] == Target("openrouter", "openai/gpt-5")


def test_a_pattern_may_lead_to_what_it_means_itself() -> None:
    found = directory({"claude-*": ("claude-opus-4-8", "gpt-5")})
    assert written(found, "claude-x") == ["anthropic/claude-opus-4-8", "openai/gpt-5"]


def test_an_alias_may_say_how_much_to_think() -> None:
    plan = directory({"deep": ("claude-opus-4-8-thinking-high",)}).plan("deep")
    assert plan.reasoning is not None
    assert plan.reasoning.mode is ReasoningMode.ON


def test_routes_and_aliases_are_found_however_they_are_capitalized() -> None:
    assert written(directory({"Best": ("gpt-5",)}), "BEST") == ["openai/gpt-5"]
    assert directory().plan("SMART").because.startswith("SMART is read as smart; smart is a route")


def test_aliases_that_lead_to_one_another_are_unknown_names() -> None:
    with pytest.raises(UnknownName):
        directory({"a": ("b",), "b": ("a", "c"), "c": ("c",)}).plan("a")


def test_a_chain_of_aliases_is_followed_a_while_and_then_given_up() -> None:
    chain = {f"a{number}": (f"a{number + 1}",) for number in range(500)}
    found = directory({**chain, "a10": ("gpt-5",)})
    assert written(found, "a0") == ["openai/gpt-5"]
    with pytest.raises(UnknownName):
        found.plan("a11")


def test_many_ways_through_aliases_are_each_gone_once() -> None:
    ladder = {f"a{number}": (f"a{number + 1}",) * 50 for number in range(12)}
    assert written(directory({**ladder, "a12": ("gpt-5",)}), "a0") == ["openai/gpt-5"]


@pytest.mark.parametrize("ending", [":latest", "-thinking"])
def test_endings_without_end_are_unknown_names(ending: str) -> None:
    with pytest.raises(UnknownName):
        directory().plan("claude-x" + ending * 5000)


def test_fallbacks_come_behind_the_models_own_targets_each_once() -> None:
    found = directory(fallbacks={"gpt-*": ("smart", "gpt-5-mini", "nobody-has-it"), "gpt-5-mini": ("gpt-5",)})
    assert written(found, "gpt-5") == ["openai/gpt-5", "anthropic/claude-opus-4-8", "openai/gpt-5-mini"]
    assert written(found, "gpt-5-mini") == ["openai/gpt-5-mini", "openai/gpt-5"]
    assert len(found.plan("gpt-5").tiers) == 3


def test_fallbacks_hold_however_the_model_is_named() -> None:
    found = directory({"a": ("gpt-5",)}, {"gpt-5": ("claude-opus-4-8",)})
    for name in ("a", "GPT-5", "openai://gpt-5"):
        assert written(found, name) == ["openai/gpt-5", "anthropic/claude-opus-4-8"], name


def test_a_routes_own_fallbacks_come_before_the_configured_ones() -> None:
    found = directory(fallbacks={"smart": ("gpt-5-mini",)})
    assert written(found, "smart") == ["anthropic/claude-opus-4-8", "openai/gpt-5", "openai/gpt-5-mini"]


def test_the_branches_of_a_route_have_its_fallbacks_too() -> None:
    cheap = Branch(tiers=first_of(Target("openai", "gpt-5-mini")), when=When(stream=True))
    route = Route(tiers=SMART.tiers, rules=Rules(branches=(cheap,)), fallbacks=("gpt-5", "gpt-5-mini"))
    plan = directory(routes={"r": route}).plan("r")
    (branch,) = plan.rules.branches
    assert [tier.targets for tier in branch.tiers] == [
        (Target("openai", "gpt-5-mini"),),
        (Target("openai", "gpt-5"),),
    ]
    assert branch.when == When(stream=True)


def test_what_is_left_of_a_fallbacks_tier_keeps_its_weights() -> None:
    pool = Tier((Target("openai", "gpt-5"), Target("openai", "gpt-5-mini")), Strategy.WEIGHTED, (1.0, 3.0))
    found = directory(routes={"pool": Route(tiers=(pool,))}, fallbacks={"gpt-5": ("pool",)})
    assert found.plan("gpt-5").tiers[1] == Tier((Target("openai", "gpt-5-mini"),), Strategy.WEIGHTED, (3.0,))


def test_an_unknown_name_goes_to_the_default_model_only_where_there_is_one() -> None:
    with pytest.raises(UnknownName):
        directory().plan("mistral-9")
    plan = directory(default="smart").plan("mistral-9")
    assert plan.targets[0] == Target("anthropic", "claude-opus-4-8")
    assert plan.because.startswith("nobody offers mistral-9; smart is the default model; smart is a route")


def test_an_alias_that_leads_nowhere_is_an_unknown_name() -> None:
    assert written(directory({"a": ("nobody-has-it",)}, default="gpt-5"), "a") == ["openai/gpt-5"]
    found = directory({"a": ("nobody-has-it",)})
    assert "a" not in dict(found.names())
    with pytest.raises(UnknownName):
        found.plan("a")


def test_a_default_that_nobody_offers_is_no_default() -> None:
    with pytest.raises(UnknownName):
        directory(default="nobody-has-it").plan("mistral-9")
