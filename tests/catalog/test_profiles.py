"""What the catalogue knows of models, by the names that hosts give them."""

import re
from types import ModuleType

import pytest

from isthmus.catalog.families import anthropic, deepseek, google, open_weights, openai, xai
from isthmus.catalog.lookup import plain, profile_of
from isthmus.core.profile import UNKNOWN, ReasoningStyle, SchemaStyle

NONE, EFFORT, BUDGET, ADAPTIVE = (
    ReasoningStyle.NONE,
    ReasoningStyle.EFFORT,
    ReasoningStyle.BUDGET,
    ReasoningStyle.ADAPTIVE,
)
FAMILIES = (anthropic, openai, google, deepseek, xai, open_weights)


@pytest.mark.parametrize(
    ("model", "style", "limit"),
    [
        ("claude-3-haiku-20240307", NONE, 4096),
        ("claude-3-opus-latest", NONE, 4096),
        ("claude-3-5-sonnet-20241022", NONE, 8192),
        ("claude-3-7-sonnet-20250219", BUDGET, 64_000),
        ("claude-opus-4-20250514", BUDGET, 32_000),
        ("claude-opus-4-0", BUDGET, 32_000),
        ("claude-opus-4", BUDGET, 32_000),
        ("claude-opus-4-1-20250805", BUDGET, 32_000),
        ("claude-sonnet-4-20250514", BUDGET, 64_000),
        ("claude-sonnet-4-0", BUDGET, 64_000),
        ("claude-opus-4-5-20251101", BUDGET, 64_000),
        ("claude-sonnet-4-5", BUDGET, 64_000),
        ("claude-haiku-4-5-20251001", BUDGET, 64_000),
        ("claude-opus-4-6", ADAPTIVE, 128_000),
        ("claude-sonnet-4-6", ADAPTIVE, 64_000),
        ("claude-opus-4-7", ADAPTIVE, 128_000),
        ("claude-opus-4-8", ADAPTIVE, 128_000),
        ("claude-opus-5", ADAPTIVE, 128_000),
        ("claude-sonnet-5-5", ADAPTIVE, 128_000),
        ("claude-fable-5", ADAPTIVE, 128_000),
        ("claude-opus-4-10", ADAPTIVE, None),
        ("claude-of-the-future", ADAPTIVE, None),
    ],
)
def test_each_claude_thinks_in_its_way_and_within_its_limit(
    model: str, style: ReasoningStyle, limit: int | None
) -> None:
    profile = profile_of("anthropic", model)
    assert (profile.reasoning, profile.max_output_limit) == (style, limit)
    assert profile.requires_max_output
    assert not profile.system_in_place
    assert profile.max_temperature == 1.0
    assert limit is None or profile.default_max_output <= limit


@pytest.mark.parametrize(
    ("model", "sampling", "prefill", "schema"),
    [
        ("claude-3-5-haiku-latest", True, True, SchemaStyle.NONE),
        ("claude-opus-4-1", True, True, SchemaStyle.NONE),
        ("claude-sonnet-4-5", True, True, SchemaStyle.NATIVE),
        ("claude-opus-4-6", True, False, SchemaStyle.NATIVE),
        ("claude-opus-4-7", False, False, SchemaStyle.NATIVE),
        ("claude-sonnet-5", False, False, SchemaStyle.NATIVE),
        ("claude-of-the-future", False, False, SchemaStyle.NATIVE),
    ],
)
def test_newer_claudes_refuse_what_older_ones_took(
    model: str, sampling: bool, prefill: bool, schema: SchemaStyle
) -> None:
    profile = profile_of("anthropic", model)
    assert (profile.sampling, profile.prefill, profile.schema) == (sampling, prefill, schema)


@pytest.mark.parametrize(
    "model",
    [
        "anthropic/claude-3.5-sonnet",
        "anthropic/claude-3.5-sonnet:beta",
        "anthropic.claude-3-5-sonnet-20241022-v2:0",
        "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        "claude-3-5-sonnet@20241022",
        "Claude-3-5-Sonnet",
    ],
)
def test_a_model_is_known_by_whatever_its_host_calls_it(model: str) -> None:
    assert profile_of("anthropic-compatible", model).max_output_limit == 8192


def test_claude_behind_the_other_dialect_thinks_by_effort() -> None:
    profile = profile_of("openrouter", "anthropic/claude-sonnet-4.5")
    assert profile.reasoning is EFFORT
    assert not profile.requires_max_output
    assert profile.system_in_place
    assert profile.reasoning_field == "reasoning"
    assert profile_of("openrouter", "anthropic/claude-3.5-haiku").reasoning is NONE


@pytest.mark.parametrize(
    ("model", "efforts", "sampling"),
    [
        ("o1", ("low", "medium", "high"), False),
        ("o3-mini-2025-01-31", ("low", "medium", "high"), False),
        ("o4-mini", ("low", "medium", "high"), False),
        ("openai/o3", ("low", "medium", "high"), False),
        ("gpt-5", ("minimal", "low", "medium", "high"), False),
        ("gpt-5-2025-08-07", ("minimal", "low", "medium", "high"), False),
        ("gpt-5-mini", ("minimal", "low", "medium", "high"), False),
        ("gpt-5-pro", ("high",), False),
        ("gpt-5.1", ("none", "low", "medium", "high"), True),
        ("gpt-5.1-2025-11-13", ("none", "low", "medium", "high"), True),
        ("gpt-5.2", ("none", "low", "medium", "high", "xhigh"), True),
        ("gpt-5.2-pro", ("medium", "high", "xhigh"), False),
        ("gpt-5.6-sol", ("none", "low", "medium", "high", "xhigh", "max"), False),
        ("gpt-6-astra", ("low", "medium", "high", "xhigh", "max"), False),
    ],
)
def test_openais_thinking_models_are_spelled_in_the_new_way(
    model: str, efforts: tuple[str, ...], sampling: bool
) -> None:
    profile = profile_of("openai", model)
    assert profile.reasoning is EFFORT
    assert (profile.efforts, profile.sampling) == (efforts, sampling)
    assert profile.max_output_field == "max_completion_tokens"
    assert profile.system_role == "developer"
    assert not profile.sampling_while_reasoning


@pytest.mark.parametrize(
    ("model", "images", "schema"),
    [
        ("gpt-3.5-turbo", False, SchemaStyle.JSON_MODE),
        ("gpt-4", False, SchemaStyle.JSON_MODE),
        ("gpt-4-0613", False, SchemaStyle.JSON_MODE),
        ("gpt-4-turbo-2024-04-09", True, SchemaStyle.JSON_MODE),
        ("gpt-4o", True, SchemaStyle.NATIVE),
        ("gpt-4o-mini-2024-07-18", True, SchemaStyle.NATIVE),
        ("openai/gpt-4.1-nano", True, SchemaStyle.NATIVE),
        ("gpt-4.5-preview", True, SchemaStyle.NATIVE),
        ("chatgpt-4o-latest", True, SchemaStyle.NATIVE),
        ("gpt-5-chat-latest", True, SchemaStyle.NATIVE),
    ],
)
def test_openais_plain_models_do_not_think(model: str, images: bool, schema: SchemaStyle) -> None:
    profile = profile_of("openai", model)
    assert (profile.reasoning, profile.images, profile.schema) == (NONE, images, schema)
    assert profile.sampling
    assert profile.system_role == "system"


def test_a_model_that_hears_is_told_apart() -> None:
    assert profile_of("openai", "gpt-4o-audio-preview").audio
    assert not profile_of("openai", "gpt-4o").audio


@pytest.mark.parametrize(
    ("host", "model", "style", "efforts", "images"),
    [
        ("groq", "openai/gpt-oss-120b", EFFORT, ("low", "medium", "high"), False),
        ("gemini", "models/gemini-2.5-flash", BUDGET, ("none",), True),
        ("gemini", "gemini-2.5-pro", BUDGET, (), True),
        ("gemini", "gemini-2.0-flash", NONE, (), True),
        ("gemini", "gemini-3-flash-preview", EFFORT, ("minimal", "low", "medium", "high"), True),
        ("gemini", "gemini-3-pro-preview", EFFORT, ("low", "high"), True),
        ("openrouter", "google/gemini-2.5-flash", EFFORT, ("none", "low", "medium", "high"), True),
        ("openrouter", "google/gemini-2.5-pro", EFFORT, ("low", "medium", "high"), True),
        ("gemini", "gemini-3.1-pro-preview", EFFORT, ("low", "medium", "high"), True),
        ("deepseek", "deepseek-chat", ADAPTIVE, ("low", "high", "max"), False),
        ("openrouter", "deepseek/deepseek-v3.2", EFFORT, ("low", "high", "max"), False),
        ("moonshot", "kimi-k2.6", ADAPTIVE, (), True),
        ("xai", "grok-3-mini", EFFORT, ("low", "high"), False),
        ("xai", "grok-4", NONE, (), True),
        ("xai", "grok-4-1-fast-reasoning", NONE, (), True),
        ("xai", "grok-4.20-reasoning", NONE, (), True),
        ("xai", "grok-code-fast-1", NONE, (), True),
        ("xai", "grok-4.3", EFFORT, ("none", "low", "medium", "high"), True),
        ("groq", "llama-3.3-70b-versatile", NONE, (), False),
        ("groq", "meta-llama/llama-4-scout-17b-16e-instruct", NONE, (), True),
        ("ollama", "llama3.2-vision:11b", NONE, (), True),
        ("ollama", "llama3.2:3b", NONE, (), False),
        ("together", "Qwen/Qwen2.5-72B-Instruct-Turbo", NONE, (), False),
        ("together", "Qwen/Qwen2.5-VL-72B-Instruct", EFFORT, (), True),
        ("groq", "qwen/qwen3-32b", EFFORT, (), False),
        ("local", "smollm2-135m", NONE, (), False),
    ],
)
def test_other_families_are_known_as_far_as_it_matters(
    host: str, model: str, style: ReasoningStyle, efforts: tuple[str, ...], images: bool
) -> None:
    profile = profile_of(host, model)
    assert (profile.reasoning, profile.efforts, profile.images) == (style, efforts, images)


@pytest.mark.parametrize(
    ("model", "style", "efforts"),
    [
        ("mistral-small-latest", EFFORT, ("none", "high")),
        ("mistral-small-2603", EFFORT, ("none", "high")),
        ("mistral-medium-3", EFFORT, ("none", "high")),
        ("magistral-small-latest", EFFORT, ("none", "high")),
        ("magistral-medium-latest", NONE, ()),
        ("mistral-large-latest", NONE, ()),
        ("mistral-small-2409", NONE, ()),
        ("codestral-latest", NONE, ()),
    ],
)
def test_few_of_mistrals_models_are_told_how_much_to_think(
    model: str, style: ReasoningStyle, efforts: tuple[str, ...]
) -> None:
    profile = profile_of("mistral", model)
    assert (profile.reasoning, profile.efforts) == (style, efforts)


def test_mistral_is_cooler() -> None:
    assert profile_of("mistral", "mistral-large-latest").max_temperature == 1.5


def test_deepseek_wants_its_thoughts_back() -> None:
    assert profile_of("deepseek", "deepseek-reasoner").reasoning_field == "reasoning_content"
    assert profile_of("deepseek", "deepseek-chat").schema is SchemaStyle.JSON_MODE


def test_an_unknown_model_of_an_unknown_host_is_taken_to_be_able() -> None:
    assert profile_of("together", "some-model-nobody-knows") == UNKNOWN


CHAT, RESPONSES, COMPLETIONS = "openai_chat", "openai_responses", "openai_completions"


@pytest.mark.parametrize(
    ("model", "dialects"),
    [
        ("gpt-4o", (CHAT, RESPONSES)),
        ("gpt-4.1-mini", (CHAT, RESPONSES)),
        ("gpt-3.5-turbo", (CHAT, RESPONSES)),
        ("ft:gpt-4o-mini-2024-07-18:org::id", (CHAT, RESPONSES)),
        ("gpt-5-chat-latest", (CHAT, RESPONSES)),
        ("some-model-nobody-knows", (CHAT, RESPONSES)),
        ("gpt-5", (RESPONSES, CHAT)),
        ("gpt-5.6-sol", (RESPONSES, CHAT)),
        ("gpt-6.1-terra", (RESPONSES, CHAT)),
        ("o3", (RESPONSES, CHAT)),
        ("o4-mini", (RESPONSES, CHAT)),
        ("o1-pro", (RESPONSES,)),
        ("o3-pro-2025-06-10", (RESPONSES,)),
        ("gpt-5-pro", (RESPONSES,)),
        ("gpt-5.5-pro-2026-04-23", (RESPONSES,)),
        ("gpt-5-codex", (RESPONSES,)),
        ("gpt-5.1-codex-max", (RESPONSES,)),
        ("codex-mini-latest", (RESPONSES,)),
        ("o4-mini-deep-research-2025-06-26", (RESPONSES,)),
        ("computer-use-preview", (RESPONSES,)),
        ("gpt-6-cyber", (RESPONSES,)),
        ("gpt-4o-audio-preview", (CHAT,)),
        ("gpt-4o-mini-search-preview", (CHAT,)),
        ("gpt-3.5-turbo-instruct", (COMPLETIONS,)),
        ("davinci-002", (COMPLETIONS,)),
        ("babbage-002", (COMPLETIONS,)),
    ],
)
def test_each_of_openais_models_is_served_in_the_dialects_that_it_is(model: str, dialects: tuple[str, ...]) -> None:
    assert profile_of("openai", model).dialects == dialects
    assert profile_of("azure", model).dialects == dialects


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("gpt-5-codex", ("low", "medium", "high")),
        ("gpt-5.1-codex", ("low", "medium", "high")),
        ("gpt-5.1-codex-max", ("low", "medium", "high", "xhigh")),
        ("gpt-5.3-codex", ("low", "medium", "high", "xhigh")),
    ],
)
def test_codex_models_have_efforts_of_their_own(model: str, efforts: tuple[str, ...]) -> None:
    assert profile_of("openai", model).efforts == efforts


def test_a_generic_host_is_given_back_the_thoughts_it_told_in_clear() -> None:
    assert profile_of("compatible", "some-model-nobody-knows").reasoning_field == "reasoning_content"


def test_an_unknown_model_behind_anthropics_dialect_is_given_what_the_dialect_demands() -> None:
    profile = profile_of("anthropic-compatible", "some-model-nobody-knows")
    assert profile.requires_max_output
    assert not profile.system_in_place


def test_a_plain_name_has_no_prefix_and_only_hyphens() -> None:
    assert plain("Anthropic/Claude-3.5_Sonnet:beta@1") == "claude-3-5-sonnet-beta-1"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_family_says_when_its_facts_were_read(family: ModuleType) -> None:
    assert re.search(r"Read on \d{4}-\d{2}-\d{2}", family.__doc__ or "")


@pytest.mark.parametrize(
    ("host", "model"),
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-3-5-haiku-latest"),
        ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("vertex", "claude-opus-4-1@20250805"),
        ("bedrock", "amazon.nova-pro-v1:0"),
        ("gemini", "gemini-2.5-flash"),
        ("gemini", "gemini-flash-lite-latest"),
        ("ollama", "llama3.3:70b"),
        ("groq", "llama-3.3-70b-versatile"),
        ("llamacpp", "anything"),
    ],
)
def test_some_models_go_on_with_a_turn_of_theirs(host: str, model: str) -> None:
    assert profile_of(host, model).continues


@pytest.mark.parametrize(
    ("host", "model"),
    [
        ("anthropic", "claude-opus-4-6"),
        ("anthropic", "claude-of-the-future"),
        ("openrouter", "anthropic/claude-sonnet-4.5"),
        ("anthropic-compatible", "glm-5"),
        ("bedrock", "amazon.nova-2-lite-v1:0"),
        ("bedrock", "meta.llama3-3-70b-instruct-v1:0"),
        ("gemini", "gemini-2.5-pro"),
        ("gemini", "gemini-3-pro-preview"),
        ("openai", "gpt-5"),
        ("openai", "gpt-4o"),
        ("deepseek", "deepseek-chat"),
        ("mistral", "mistral-large-latest"),
        ("ollama", "gpt-oss:20b"),
        ("groq", "openai/gpt-oss-120b"),
        ("compatible", "anything"),
    ],
)
def test_of_most_models_nobody_knows_that_they_do(host: str, model: str) -> None:
    assert not profile_of(host, model).continues
