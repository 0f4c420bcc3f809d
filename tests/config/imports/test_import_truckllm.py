"""What the keys of TruckLLM become."""

from decimal import Decimal

from isthmus.config.imports.report import Fit
from isthmus.config.schema import Config, ListenerEntry
from isthmus.config.schema_providers import PriceEntry
from isthmus.config.schema_routing import NamesEntry
from isthmus.engine.compat import Compat
from isthmus.routing.plan import Strategy
from support.importing import VARIABLES, foreign, problems, said, taken_over, text_of

PROVIDERS = """
providers:
  - {id: ours, base_url: "https://llm.example.com/v1", keys: [{id: main, secret: truck-key-one}]}
"""


def config_of(text: str) -> Config:
    return taken_over(text).config


def test_it_listens_as_truckllm_does_and_asks_for_a_key() -> None:
    found = config_of(text_of("truckllm.yaml"))
    assert found.listeners == (ListenerEntry("0.0.0.0", 8080, Compat.TRUCK),)
    assert [one.name for one in found.client_keys] == ["openai-main", "openai-spare", "gemini-main", "ours-main"]


def test_an_address_that_is_named_is_kept() -> None:
    text = "server: {listen: '127.0.0.1:9000'}" + PROVIDERS
    assert config_of(text).listeners == (ListenerEntry("127.0.0.1", 9000, Compat.TRUCK),)
    assert config_of("model_aliases: {}" + PROVIDERS).listeners[0].port == 8080


def test_without_any_key_only_this_machine_can_connect() -> None:
    assert config_of("server: {listen: ':8080'}").listeners[0].host == "127.0.0.1"


def test_a_known_host_is_known_again_and_another_is_compatible() -> None:
    found = config_of(text_of("truckllm.yaml")).providers
    assert [entry.type for entry in found.values()] == ["openai", "gemini", "compatible"]
    assert found["ours"].base_url == "https://llm.example.com/v1"


def test_keys_keep_their_limits_and_prices() -> None:
    first, second = config_of(text_of("truckllm.yaml")).providers["openai"].api_keys
    assert (first.name, first.key.reveal()) == ("openai-main", VARIABLES["OPENAI_API_KEY"])
    assert (first.requests_per_minute, first.tokens_per_minute) == (60, 90_000)
    assert first.price == (PriceEntry(input=Decimal("1.5"), output=Decimal(2)),)
    assert (second.requests_per_minute, second.price) == (None, ())


def test_the_configured_keys_are_all_that_are_used() -> None:
    """A usual variable that happens to be set adds no further key."""
    assert config_of(text_of("truckllm.yaml")).providers["openai"].api_key is None


def test_a_price_in_another_currency_is_told_of() -> None:
    assert "providers[1].keys[0].pricing" in said(foreign(text_of("truckllm.yaml")), Fit.NO_EQUAL)


def test_aliases_lead_to_a_provider_and_a_model() -> None:
    aliases = config_of(text_of("truckllm.yaml")).aliases
    assert aliases["gpt-4"] == NamesEntry(("openai/gpt-4o",))
    assert aliases["large"] == NamesEntry(("ours/our-large",))


def test_a_model_may_hold_a_colon() -> None:
    found = config_of("model_aliases: {nova: 'ours:amazon.nova-pro-v1:0'}" + PROVIDERS)
    assert found.aliases["nova"] == NamesEntry(("ours/amazon.nova-pro-v1:0",))


def test_policies_are_strategies() -> None:
    found = config_of(text_of("truckllm.yaml")).routing
    assert found.strategy is Strategy.HYBRID
    weights = found.hybrid_weights
    assert (weights.tokens, weights.requests, weights.errors, weights.latency, weights.cost) == (
        0.3,
        0.2,
        0.2,
        0.1,
        0.2,
    )
    for policy, strategy in (
        ("{strategy: round_robin}", Strategy.ROUND_ROBIN),
        ("{strategy: least_error}", Strategy.LEAST_ERROR),
        ("{strategy: hybrid, cost_first: true}", Strategy.CHEAPEST),
        ("{strategy: hybrid, cost_first: false}", Strategy.HYBRID),
    ):
        assert config_of(f"policy: {policy}" + PROVIDERS).routing.strategy is strategy


def test_the_log_and_the_metrics_are_where_they_were() -> None:
    found = config_of(text_of("truckllm.yaml"))
    assert (found.log.file or "").endswith("logs/llm.log")
    assert (found.log.max_size, found.log.backups) == (100 * 1024**2, 5)
    assert (found.metrics.enabled, found.metrics.path) == (True, "/metrics")


def test_a_log_file_that_is_off_is_none() -> None:
    text = "logging: {file: {enabled: false, path: ./llm.log}, prometheus: {enabled: false}}\npolicy: {}" + PROVIDERS
    found = config_of(text)
    assert (found.log.file, found.metrics.enabled) == (None, False)


def test_counters_are_shared_through_redis() -> None:
    found = config_of(text_of("truckllm.yaml")).state.url
    assert found is not None
    assert found.reveal() == f"redis://:{VARIABLES['REDIS_PASSWORD']}@127.0.0.1:6379"
    other = "storage: {runtime: {type: http, addr: 'https://counters.example.com', api_key: k}}\npolicy: {}" + PROVIDERS
    assert said(foreign(other), Fit.NO_EQUAL) == {"storage.runtime.type", "storage.runtime.api_key"}


def test_who_administers_keeps_the_key() -> None:
    key = config_of(text_of("truckllm.yaml")).management_key
    assert key is not None
    assert key.reveal() == VARIABLES["TRUCK_ADMIN_KEY"]


def test_what_is_wrong_is_told_where_it_stands() -> None:
    text = "server:\n  listen: ':many'\nmodel_aliases:\n  chat: no-colon\npolicy:\n  strategy: zork\n"
    assert [(one.line, one.key) for one in problems(text)] == [
        (2, "server.listen"),
        (4, "model_aliases.chat"),
        (6, "policy.strategy"),
    ]
