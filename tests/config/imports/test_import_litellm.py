"""What the keys of LiteLLM's proxy become."""

from decimal import Decimal
from typing import Any

import pytest
import yaml

from isthmus.config.imports.report import Fit
from isthmus.config.schema import Config, ListenerEntry
from isthmus.config.schema_log import LogFormat
from isthmus.config.schema_providers import PriceEntry, ProviderEntry
from isthmus.config.schema_routing import NamesEntry, TargetEntry
from isthmus.core.facts import Ability
from isthmus.core.losses import OnLoss
from isthmus.routing.plan import Strategy
from support.importing import VARIABLES, foreign, problems, said, taken_over, text_of


def text_with(*deployments: dict[str, Any], **sections: Any) -> str:
    models = [{"model_name": one.pop("name", "chat"), "litellm_params": one} for one in map(dict, deployments)]
    return yaml.safe_dump({"model_list": models, **sections})


def config_of(*deployments: dict[str, Any], **sections: Any) -> Config:
    return taken_over(text_with(*deployments, **sections)).config


def provider_of(**params: Any) -> ProviderEntry:
    found = config_of({"api_key": "key-0123456789", **params}).providers
    assert len(found) == 1
    return next(iter(found.values()))


def whole() -> Config:
    return taken_over(text_of("litellm.yaml")).config


OPENAI = {"model": "openai/gpt-4o", "api_key": "one-0123456789"}
GROQ = {"model": "groq/llama-3", "api_key": "two-0123456789"}


def test_a_master_key_opens_it_for_others_and_for_administrators() -> None:
    found = whole()
    assert found.listeners == (ListenerEntry("0.0.0.0", 4000),)
    assert found.management_key is not None
    assert found.management_key.reveal() == VARIABLES["LITELLM_MASTER_KEY"]
    assert [(one.name, one.key.reveal()) for one in found.client_keys] == [("master", VARIABLES["LITELLM_MASTER_KEY"])]


def test_without_a_master_key_only_this_machine_can_connect() -> None:
    assert config_of(OPENAI).listeners == (ListenerEntry("127.0.0.1", 4000),)


@pytest.mark.parametrize(
    ("model", "kind", "there"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("gpt-4o", "openai", "gpt-4o"),
        ("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5"),
        ("openai/responses/gpt-5", "openai", "gpt-5"),
        ("gemini/gemini-2.5-pro", "gemini", "gemini-2.5-pro"),
        ("ollama_chat/llama3.1", "ollama", "llama3.1"),
        ("together_ai/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("fireworks_ai/accounts/fireworks/models/x", "fireworks", "accounts/fireworks/models/x"),
        ("hosted_vllm/facebook/opt-125m", "vllm", "facebook/opt-125m"),
        ("dashscope/qwen-max", "alibaba", "qwen-max"),
        ("openrouter/anthropic/claude-3.7", "openrouter", "anthropic/claude-3.7"),
    ],
)
def test_the_word_before_a_model_names_its_provider(model: str, kind: str, there: str) -> None:
    entry = provider_of(model=model)
    assert (entry.type, entry.models) == (kind, (there,))


def test_a_provider_may_be_named_apart() -> None:
    entry = provider_of(model="my/model", custom_llm_provider="openai", api_base="https://llm.example.com/v1")
    assert (entry.type, entry.base_url, entry.models) == ("compatible", "https://llm.example.com/v1", ("my/model",))


@pytest.mark.parametrize(
    ("model", "base", "kind", "ours"),
    [
        ("openai/x", "https://llm.example.com/v1", "compatible", "https://llm.example.com/v1"),
        ("openai/x", "https://api.openai.com/v1", "openai", None),
        ("anthropic/x", "https://llm.example.com", "anthropic", "https://llm.example.com/v1"),
        ("azure/x", "https://eu.openai.azure.com/openai/deployments/x", "azure", "https://eu.openai.azure.com"),
        ("ollama/x", "http://192.0.2.7:11434", "ollama", "http://192.0.2.7:11434"),
        ("zork_ai/x", "https://zork.example.com/v1", "compatible", "https://zork.example.com/v1"),
    ],
)
def test_an_address_is_that_of_ours(model: str, base: str, kind: str, ours: str | None) -> None:
    entry = provider_of(model=model, api_base=base)
    assert (entry.type, entry.base_url) == (kind, ours)


def test_a_provider_that_is_not_known_is_left_out_and_told_of() -> None:
    found = foreign(text_with(OPENAI, {"model": "watsonx/granite"}, {"model": "zork"}))
    assert said(found, Fit.NO_EQUAL) == {"model_list[1]", "model_list[2]"}


def test_deployments_at_one_place_are_one_provider() -> None:
    found = config_of({**OPENAI, "name": "a"}, {**OPENAI, "name": "b", "model": "openai/gpt-5"})
    assert {name: entry.models for name, entry in found.providers.items()} == {"openai": ("gpt-4o", "gpt-5")}


def test_another_key_or_a_limit_of_its_own_is_another_provider() -> None:
    found = config_of(OPENAI, {**OPENAI, "api_key": "other-0123456789"}, {**OPENAI, "rpm": 7})
    assert list(found.providers) == ["openai", "openai-2", "openai-3"]
    assert found.providers["openai-3"].requests_per_minute == 7


def test_limits_and_prices_of_a_deployment() -> None:
    entry = provider_of(model="openai/gpt-4o", rpm=6, tpm=7, max_parallel_requests=8, timeout=9, stream_timeout=5)
    assert (entry.requests_per_minute, entry.tokens_per_minute) == (6, 7)
    assert entry.concurrency is not None
    assert (entry.concurrency.most, entry.deadlines.total, entry.deadlines.first_byte) == (8, 9, 5)
    found = config_of({**OPENAI, "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05})
    assert found.models["openai/gpt-4o"].price == (PriceEntry(input=Decimal("2.5"), output=Decimal(10)),)


def test_what_is_said_of_a_model_is_kept() -> None:
    facts = whole().models["anthropic/claude-sonnet-4-5"]
    assert (facts.input_limit, facts.can) == (200_000, (Ability.VISION,))
    assert facts.price == (PriceEntry(input=Decimal(3), output=Decimal(15)),)


def test_one_name_of_several_deployments_is_a_route_by_weight() -> None:
    route = config_of({**OPENAI, "weight": 3}, GROQ).routes["chat"]
    assert route.targets == (TargetEntry("openai", "gpt-4o", 3.0), TargetEntry("groq", "llama-3", 1.0))


def test_without_weights_the_rates_are_the_weights() -> None:
    route = whole().routes["gpt-4o"]
    assert [[(one.provider, one.weight) for one in tier.targets] for tier in route.tiers] == [
        [("azure", 6.0), ("azure-2", 3.0)],
        [("openai", 1.0)],
    ]


@pytest.mark.parametrize(
    ("named", "strategy"),
    [
        ("simple-shuffle", Strategy.WEIGHTED),
        ("least-busy", Strategy.LEAST_BUSY),
        ("usage-based-routing-v2", Strategy.HYBRID),
        ("latency-based-routing", Strategy.FASTEST),
        ("cost-based-routing", Strategy.CHEAPEST),
    ],
)
def test_strategies(named: str, strategy: Strategy) -> None:
    found = config_of({**OPENAI, "weight": 3}, GROQ, router_settings={"routing_strategy": named})
    assert found.routing.strategy is strategy
    weighted = [one.weight for one in found.routes["chat"].targets]
    assert weighted == ([3.0, 1.0] if strategy is Strategy.WEIGHTED else [None, None])


def test_what_comes_after_what() -> None:
    found = whole().routing.fallbacks
    assert found["gpt-4o"] == NamesEntry(("claude", "llama"))
    assert found["claude"] == NamesEntry(("gpt-4o",))
    default = config_of(OPENAI, {**GROQ, "name": "other"}, litellm_settings={"default_fallbacks": ["other"]})
    assert default.routing.fallbacks["*"] == NamesEntry(("other",))


def test_other_names_of_a_group_are_aliases() -> None:
    found = whole()
    assert (found.aliases["gpt-4"], found.aliases["sonnet"]) == (NamesEntry(("gpt-4o",)), NamesEntry(("claude",)))
    assert "router_settings.model_group_alias.sonnet.hidden" in said(foreign(text_of("litellm.yaml")), Fit.DIFFERS)


def test_all_models_of_a_provider_may_be_asked_for() -> None:
    found = whole()
    assert (found.providers["groq"].models, "groq/*" in found.routes) == ((), False)


def test_providers_keep_the_names_that_clients_put_before_models() -> None:
    found = config_of({"name": "vertex_ai/*", "model": "vertex_ai/*", "vertex_project": "p", "vertex_location": "eu"})
    assert [(name, entry.type) for name, entry in found.providers.items()] == [("vertex_ai", "vertex")]


def test_one_name_for_many_models_is_told_of() -> None:
    assert said(foreign(text_with({**GROQ, "model": "groq/*"})), Fit.NO_EQUAL) == {"model_list[0]"}


def test_variables_stay_references_and_those_of_the_file_are_put_in_place() -> None:
    text = foreign(text_of("litellm.yaml")).text
    assert "${AZURE_API_KEY}" in text
    assert "litellm-team-key" in text
    assert whole().providers["azure"].api_version == "2024-10-21"


def test_tries_times_and_sizes() -> None:
    found = whole()
    assert (found.limits.attempts, found.limits.exchanges) == (3, 500)
    assert found.limits.request_body == 20 * 1024**2
    assert found.providers["openai"].deadlines.total == 120
    assert found.providers["anthropic"].deadlines.total == 300


def test_redis_is_shared_memory() -> None:
    url = whole().state.url
    assert url is not None
    assert url.reveal() == f"redis://:{VARIABLES['REDIS_PASSWORD']}@{VARIABLES['REDIS_HOST']}:6379"


def test_settings_of_the_library() -> None:
    found = whole()
    assert (found.on_loss, found.log.format) == (OnLoss.ALLOW, LogFormat.JSON)
    assert config_of(OPENAI, litellm_settings={"drop_params": False}).on_loss is OnLoss.REFUSE


def test_answers_are_kept_where_they_were() -> None:
    kept = {"cache": True, "cache_params": {"type": "redis", "host": "192.0.2.7", "port": 6379, "ttl": 600}}
    found = config_of(OPENAI, litellm_settings=kept)
    assert (found.cache.enabled, found.cache.seconds) == (True, 600)
    assert found.state.url is not None
    assert found.state.url.reveal() == "redis://192.0.2.7:6379"
    assert said(foreign(text_with(OPENAI, litellm_settings=kept)), Fit.DIFFERS) == {
        "general_settings",
        "litellm_settings.cache",
    }


def test_how_long_requests_are_kept() -> None:
    found = config_of(OPENAI, general_settings={"maximum_spend_logs_retention_period": "7d"})
    assert found.store.keep_days == 7


def test_azure_without_a_key_has_that_of_litellms_variable() -> None:
    entry = next(iter(config_of({"model": "azure/x", "api_base": "https://eu.openai.azure.com"}).providers.values()))
    assert entry.api_key is not None
    assert entry.api_key.reveal() == VARIABLES["AZURE_API_KEY"]


def test_credentials_that_are_written_out_are_told_of() -> None:
    params = {"model": "vertex_ai/gemini-2.5-pro", "vertex_project": "p", "vertex_location": "global"}
    found = foreign(text_with({**params, "vertex_credentials": '{"type": "service_account"}'}))
    assert said(found, Fit.NO_EQUAL) == {"model_list[0].litellm_params.vertex_credentials"}


def test_what_is_wrong_is_told_where_it_stands() -> None:
    text = "model_list:\n  - model_name: chat\n    litellm_params:\n      model: groq/x\n      rpm: many\n"
    assert [(one.line, one.key) for one in problems(text)] == [(5, "model_list[0].litellm_params.rpm")]


def test_of_those_who_are_told_of_requests_it_is_said_who_can_be_told_here() -> None:
    told = [
        said(foreign(text_with(OPENAI, litellm_settings={"callbacks": [name]})), fit)
        for name, fit in (("otel", Fit.DIFFERS), ("langfuse", Fit.NO_EQUAL), ("prometheus", Fit.NO_EQUAL))
    ]
    key = "litellm_settings.callbacks"
    assert [key in one for one in told] == [True, True, False]
