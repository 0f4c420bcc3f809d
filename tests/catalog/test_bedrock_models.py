"""What Bedrock changes of everybody's models, and what it calls them."""

import pytest

from isthmus.catalog.families.bedrock_names import IDS, PREFIXES, bedrock_id
from isthmus.catalog.lookup import profile_of
from isthmus.core.profile import ReasoningStyle

NOVA = "us.amazon.nova-2-lite-v1:0"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("claude-sonnet-4.5", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("claude-haiku-4.5", "anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("claude-sonnet-4-5", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("us.claude-sonnet-4.5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("global.claude-haiku-4-5", "global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    ],
)
def test_names_that_people_know_become_ids(name: str, known: str) -> None:
    assert bedrock_id(name) == known


@pytest.mark.parametrize(
    "name",
    [
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "amazon.nova-pro-v1:0",
        "us.claude-of-tomorrow",
        "arn:aws:bedrock:us-east-1:000000000000:application-inference-profile/mi1dadi0g15f",
    ],
)
def test_an_id_passes_as_it_is(name: str) -> None:
    assert bedrock_id(name) == name


def test_every_id_is_its_own_id_in_every_region() -> None:
    for known in IDS.values():
        assert bedrock_id(known) == known
        assert all(bedrock_id(f"{prefix}.{known}") == f"{prefix}.{known}" for prefix in PREFIXES)


@pytest.mark.parametrize("name", ["claude-sonnet-4.5", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"])
def test_claude_is_asked_by_invoke_first_and_as_anthropic_knows_it(name: str) -> None:
    profile = profile_of("bedrock", name)
    assert profile.dialects == ("anthropic", "bedrock")
    assert profile.reasoning is ReasoningStyle.BUDGET
    assert profile.requires_max_output
    assert profile.maker == "anthropic"


@pytest.mark.parametrize(
    ("name", "dialect", "maker"),
    [
        (NOVA, "bedrock", "amazon"),
        ("openai.gpt-oss-120b-1:0", "bedrock", "openai"),
        ("mistral.mistral-large-3-675b-instruct", "bedrock", "mistral"),
        ("meta.llama3-1-70b-instruct-v1:0", "bedrock", ""),
        ("cohere.embed-english-v3", "bedrock_cohere", "cohere"),
        ("amazon.titan-embed-text-v2:0", "bedrock_titan", ""),
    ],
)
def test_every_other_model_is_asked_in_one_dialect(name: str, dialect: str, maker: str) -> None:
    profile = profile_of("bedrock", name)
    assert profile.dialects == (dialect,)
    assert profile.maker == maker


def test_only_claude_and_nova_are_told_what_to_cache() -> None:
    assert profile_of("bedrock", NOVA).cache_marks
    assert not profile_of("bedrock", "meta.llama3-1-70b-instruct-v1:0").cache_marks


def test_no_model_but_claude_takes_system_text_between_turns() -> None:
    assert not profile_of("bedrock", NOVA).system_in_place
    assert not profile_of("bedrock", "deepseek.v3-v1:0").system_in_place
