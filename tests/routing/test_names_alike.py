"""One model under the many names that hosts give it is one routing target."""

import pytest

from isthmus.catalog.spellings import take_apart
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.naming import Naming
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Strategy, Target

OFFERS = (
    Offer("openrouter", ("anthropic/claude-sonnet-4.5", "openai/gpt-5", "deepseek/deepseek-r1:free", "Qwen/QwQ-32B")),
    Offer("anthropic", ("claude-sonnet-4-5-20250929", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620")),
    Offer("bedrock", ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu.anthropic.claude-opus-4-8")),
    Offer("google", ("models/gemini-2.5-pro",)),
    Offer("openai", ("gpt-5", "gpt-5-2025-08-07", "GPT-5"), ("gpt-*",)),
)
SONNET = [
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("openrouter", "anthropic/claude-sonnet-4.5"),
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
]


@pytest.fixture
def directory() -> Directory:
    return Directory({}, OFFERS, take_apart=take_apart)


def targets(directory: Directory, name: str) -> list[tuple[str, str]]:
    return [(target.provider, target.model) for target in directory.plan(name).targets]


@pytest.mark.parametrize(
    "name",
    [
        "claude-sonnet-4-5-20250929",
        "claude-sonnet-4-5",
        "anthropic/claude-sonnet-4.5",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "Claude-Sonnet-4.5",
        "claude-sonnet-4-5@20250929",
        "claude-sonnet-4-5-latest",
        "somebody/claude-sonnet-4.5",
    ],
)
def test_every_spelling_reaches_all_who_have_the_model(directory: Directory, name: str) -> None:
    assert sorted(targets(directory, name)) == sorted(SONNET)


def test_who_has_the_very_name_is_asked_first(directory: Directory) -> None:
    assert targets(directory, "claude-sonnet-4-5-20250929")[0] == ("anthropic", "claude-sonnet-4-5-20250929")
    assert targets(directory, "anthropic/claude-sonnet-4.5")[0] == ("openrouter", "anthropic/claude-sonnet-4.5")


def test_who_has_the_model_of_that_day_is_asked_before_who_does_not_say_the_day(directory: Directory) -> None:
    asked = [provider for provider, _ in targets(directory, "claude-sonnet-4-5-20250929")]
    assert asked == ["anthropic", "bedrock", "openrouter"]


def test_a_provider_that_is_named_is_asked_in_its_own_spelling(directory: Directory) -> None:
    assert targets(directory, "bedrock/claude-sonnet-4-5") == [
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    ]
    assert targets(directory, "[Anthropic] claude-sonnet-4.5") == [SONNET[0]]


def test_a_model_of_one_day_is_not_taken_for_that_of_another(directory: Directory) -> None:
    assert targets(directory, "claude-3.5-sonnet-20240620") == [("anthropic", "claude-3-5-sonnet-20240620")]
    assert targets(directory, "claude-3.5-sonnet") == [("anthropic", "claude-3-5-sonnet-20241022")]


def test_a_provider_that_is_named_is_left_to_judge_of_a_day_it_does_not_list(directory: Directory) -> None:
    assert targets(directory, "openai/gpt-5-2025-10-01") == [("openai", "gpt-5-2025-10-01")]


def test_a_wildcard_that_may_mean_the_very_day_comes_before_the_model_without_one(directory: Directory) -> None:
    assert targets(directory, "gpt-5-2025-10-01") == [("openai", "gpt-5-2025-10-01")]


def test_a_region_that_is_named_is_kept_to(directory: Directory) -> None:
    assert targets(directory, "us.anthropic.claude-sonnet-4-5-20250929-v1:0") == [SONNET[2]]
    assert targets(directory, "claude-opus-4.8") == [("bedrock", "eu.anthropic.claude-opus-4-8")]
    with pytest.raises(UnknownName):
        directory.plan("us.anthropic.claude-opus-4-8")


def test_a_variant_is_a_model_of_its_own(directory: Directory) -> None:
    with pytest.raises(UnknownName):
        directory.plan("deepseek-r1")


def test_a_path_in_front_is_no_part_of_the_name(directory: Directory) -> None:
    assert targets(directory, "gemini-2.5-pro") == [("google", "models/gemini-2.5-pro")]


def test_capitals_matter_to_who_has_both_and_to_nobody_else(directory: Directory) -> None:
    assert targets(directory, "GPT-5")[0] == ("openai", "GPT-5")
    assert targets(directory, "gpt-5")[0] == ("openai", "gpt-5")
    assert targets(directory, "qwen/qwq-32b") == [("openrouter", "Qwen/QwQ-32B")]


def test_the_plan_says_how_the_name_was_read(directory: Directory) -> None:
    assert directory.plan("claude-sonnet-4.5").because == (
        "claude-sonnet-4.5 is read as anthropic/claude-sonnet-4.5; offered by openrouter"
        "; anthropic has it as claude-sonnet-4-5-20250929; bedrock has it as"
        " us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    )


def test_a_doubt_is_told(directory: Directory) -> None:
    assert directory.plan("Gpt-5").because.endswith("openai also has GPT-5")


def test_preferred_providers_stand_in_tiers_before_the_others() -> None:
    naming = Naming(priority={"bedrock": 1, "anthropic": 2}, strategy=Strategy.ROUND_ROBIN)
    plan = Directory({}, OFFERS, naming, take_apart=take_apart).plan("claude-sonnet-4-5")
    assert [[target.provider for target in tier.targets] for tier in plan.tiers] == [
        ["bedrock"],
        ["anthropic"],
        ["openrouter"],
    ]


def test_equals_share_a_tier_by_the_usual_strategy() -> None:
    naming = Naming(priority={"bedrock": 1, "anthropic": 1}, strategy=Strategy.ROUND_ROBIN)
    plan = Directory({}, OFFERS, naming, take_apart=take_apart).plan("claude-sonnet-4-5-20250929")
    assert [(len(tier.targets), tier.strategy) for tier in plan.tiers] == [
        (2, Strategy.ROUND_ROBIN),
        (1, Strategy.ROUND_ROBIN),
    ]


def test_what_is_excluded_is_neither_offered_nor_listed() -> None:
    offers = (Offer("openai", ("gpt-5", "gpt-4o", "O3"), ("gpt-*",), excluded=("GPT-4*", "o3")),)
    directory = Directory({}, offers, take_apart=take_apart)
    assert directory.names() == (("gpt-5", "openai"),)
    for name in ("gpt-4o", "openai/gpt-4o", "openai://gpt-4.1", "o3"):
        with pytest.raises(UnknownName):
            directory.plan(name)


def test_a_model_has_further_names_at_one_provider_alone() -> None:
    offers = (Offer("azure", ("deployment-7",), aliases={"gpt-5": "deployment-7"}), Offer("openai", ("gpt-5",)))
    directory = Directory({}, offers, take_apart=take_apart)
    assert targets(directory, "gpt-5") == [("azure", "deployment-7"), ("openai", "gpt-5")]
    assert targets(directory, "deployment-7") == [("azure", "deployment-7")]
    assert targets(directory, "azure/gpt-5") == [("azure", "deployment-7")]
    assert targets(directory, "openai/gpt-5") == [("openai", "gpt-5")]
    assert [name for name, _ in directory.names()] == ["deployment-7", "gpt-5"]


def test_auto_is_the_first_model_to_talk_to_of_each_provider() -> None:
    talks = {"ada-embedding": False, "gpt-5": True, "gpt-4": True}
    offers = (
        Offer("empty", (), ("*",)),
        Offer("openai", ("whisper", "ada-embedding", "gpt-5", "gpt-4")),
        Offer("local", ("tiny",)),
        Offer("vectors", ("ada-embedding",)),
    )
    directory = Directory({}, offers, Naming(priority={"local": 1}), talks=lambda target: talks.get(target.model))
    assert directory.plan("auto").targets == (Target("local", "tiny"), Target("openai", "gpt-5"))
    with pytest.raises(UnknownName):
        Directory({}, (Offer("empty"),)).plan("auto")
