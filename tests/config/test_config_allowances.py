"""What the file says may be asked becomes limits by scope, and each key is used as it says."""

from decimal import Decimal

import pytest

from isthmus.config.compile import compile_config
from isthmus.core.facts import Price, Rates
from isthmus.core.periods import Period
from isthmus.engine.queue import QueueRule
from isthmus.engine.snapshot import AffinityRule, Snapshot
from isthmus.routing.adaptive import AdaptiveRule
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.order import HybridWeights
from isthmus.routing.places import Credential
from isthmus.routing.retry_budget import RetryBudgetRule
from support.configured import config_of, problems_of

KEYS = """
providers:
  openai:
    api-key: sk-first-0123456789
    proxy-url: http://127.0.0.1:3128
    api-keys:
      - key: sk-second-0123456789
        models: [gpt-*]
        proxy-url: socks5://127.0.0.1:1080
        price: {input: 1, output: 2}
      - {key: sk-third-0123456789, enabled: false}
      - sk-fourth-0123456789
"""


def snapshot_of(text: str) -> Snapshot:
    return compile_config(config_of(text))


def test_where_nothing_is_limited_nothing_is_allowed_for() -> None:
    assert snapshot_of(KEYS).allowances == {}


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("requests-per-minute: 5", Limit("provider:vllm", Measure.REQUESTS, 5, 60, 12)),
        ("tokens-per-minute: 6", Limit("provider:vllm", Measure.TOKENS, 6, 60, 12)),
        ("requests-per-day: 7", Limit("provider:vllm", Measure.REQUESTS, 7, 86_400, 1)),
        ("tokens-per-day: 8", Limit("provider:vllm", Measure.TOKENS, 8, 86_400, 1)),
        ("dollars-per-day: 0.01", Limit("provider:vllm", Measure.MICRODOLLARS, 10_000, period=Period.DAY)),
        ("concurrency: 9", Limit("provider:vllm", Measure.RUNNING, 9)),
        ("concurrency: {most: 9, adaptive: true}", Limit("provider:vllm", Measure.RUNNING, 9)),
    ],
)
def test_each_key_of_the_file_is_a_limit_of_its_measure(said: str, limit: Limit) -> None:
    assert snapshot_of(f"providers: {{vllm: {{{said}}}}}").allowances == {"provider:vllm": (limit,)}


def test_keys_clients_and_routes_have_limits_by_their_names() -> None:
    snapshot = snapshot_of(
        """
providers:
  openai:
    api-keys:
      - {key: sk-first-0123456789, requests-per-minute: 1}
      - {key: sk-second-0123456789, name: night, concurrency: 2}
client-keys:
  - {name: alice, key: key-0123456789, tokens-per-day: 3}
  - {key: key-1234567890, concurrency: 4}
routes:
  smart: {targets: [openai/gpt-5], concurrency: 5}
"""
    )
    assert {scope: limit.most for scope, (limit,) in snapshot.allowances.items()} == {
        "key:openai/key-1": 1,
        "key:openai/night": 2,
        "client:alice": 3,
        "client:client-2": 4,
        "route:smart": 5,
    }
    assert all(limit.scope == scope for scope, (limit,) in snapshot.allowances.items())


def test_what_is_disabled_has_no_limits() -> None:
    text = "providers: {vllm: {enabled: false, concurrency: 1}, openai: {api-keys: [%s, sk-9876543210]}}"
    key = "{key: sk-0123456789, enabled: false, concurrency: 1}"
    assert snapshot_of(text % key).allowances == {}


def test_a_key_has_its_own_models_proxy_and_price() -> None:
    snapshot = snapshot_of(KEYS)
    assert snapshot.credentials["openai"] == (Credential("key-1"), Credential("key-2", ("gpt-*",)), Credential("key-4"))
    assert {name: provider.origin.proxy for name, provider in snapshot.keys["openai"].items()} == {
        "key-1": "http://127.0.0.1:3128",
        "key-2": "socks5://127.0.0.1:1080",
        "key-4": "http://127.0.0.1:3128",
    }
    assert snapshot.prices == {("openai", "key-2"): Price(rates=Rates(input=Decimal(1), output=Decimal(2)))}


def test_the_proxy_of_the_first_key_is_not_that_of_the_others() -> None:
    text = "providers: {openai: {api-keys: [{key: sk-0123456789, proxy-url: 'http://127.0.0.1:1'}, sk-9876543210]}}"
    keys = snapshot_of(text).keys["openai"]
    assert [provider.origin.proxy for provider in keys.values()] == ["http://127.0.0.1:1", None]


def test_a_disabled_key_is_not_used_and_the_others_keep_their_names() -> None:
    text = "providers: {openai: {api-keys: [{key: sk-0123456789, enabled: false}, sk-9876543210]}}"
    snapshot = snapshot_of(text)
    assert list(snapshot.keys["openai"]) == ["key-2"]
    assert snapshot.providers["openai"].secret == snapshot.keyed("openai", "key-2").secret


def test_a_provider_of_which_every_key_is_disabled_is_a_mistake() -> None:
    text = "providers: {openai: {api-keys: [{key: sk-0123456789, enabled: false}]}}"
    (problem,) = problems_of(text)
    assert (problem.key, problem.message.split(";")[0]) == ("providers.openai.api-keys", "has no key that is enabled")


def test_an_adaptive_bound_stays_between_the_two_that_are_said() -> None:
    text = "providers: {vllm: {concurrency: {most: 40, adaptive: true, least: 4}}, ollama: {concurrency: 3}}"
    assert snapshot_of(text).adaptive == {"vllm": AdaptiveRule(40, 4)}


@pytest.mark.parametrize(
    ("said", "enabled"), [("auto", None), ("true", True), ("{enabled: false}", False), ("{seconds: 60}", None)]
)
def test_affinity_may_be_one_word(said: str, enabled: bool | None) -> None:
    assert snapshot_of(f"routing: {{affinity: {said}}}").affinity.enabled is enabled


def test_what_routing_goes_by_is_as_it_was_said() -> None:
    snapshot = snapshot_of(
        """
routing:
  hybrid-weights: {tokens: 1, requests: 2, errors: 3, latency: 4, cost: 5}
  affinity: {enabled: true, seconds: 60}
  retry-budget: {share: 5%, least: 3}
  queue: {length: 7, wait: 2, size: 1MiB}
"""
    )
    assert snapshot.weights == HybridWeights(tokens=1, requests=2, errors=3, latency=4, cost=5)
    assert snapshot.affinity == AffinityRule(True, 60)
    assert snapshot.retry_budget == RetryBudgetRule(0.05, 3)
    assert snapshot.queue == QueueRule(7, 2, 1024**2)


def test_what_was_not_said_is_as_routing_has_it() -> None:
    snapshot = snapshot_of("")
    assert (snapshot.weights, snapshot.affinity) == (HybridWeights(), AffinityRule())
    assert (snapshot.retry_budget, snapshot.queue) == (RetryBudgetRule(), QueueRule())
