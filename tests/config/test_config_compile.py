"""A checked configuration becomes the snapshot that the engine runs on."""

import hashlib

import pytest

from isthmus.config.compile import compile_config
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.engine.admit import identify
from isthmus.engine.clients import Client
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Limits, Snapshot
from isthmus.providers.provider import Deadlines
from isthmus.routing.plan import Plan, Route, Target, first_of
from support.configured import config_of

TWO = "providers:\n  openai: {api-key: k-0123456789, models: [gpt-5, gpt-*]}\n  vllm: {models: [tiny]}\n"


def snapshot_of(text: str) -> Snapshot:
    return compile_config(config_of(text), "here")


def plan_of(snapshot: Snapshot, name: str) -> Plan:
    """Where a name leads before any provider was asked for its list."""
    return Live(snapshot).take().directory.plan(name)


def test_the_defaults_are_those_of_the_engine() -> None:
    snapshot = compile_config(Config())
    assert (snapshot.limits, snapshot.clients, snapshot.routes, snapshot.source) == (Limits(), {}, {}, "defaults")


def test_client_keys_are_kept_as_digests_only() -> None:
    snapshot = snapshot_of("client-keys: [{name: laptop, key: key-one-1}, key-two-2]")
    assert snapshot.clients == {
        hashlib.sha256(b"key-one-1").digest(): Client("laptop"),
        hashlib.sha256(b"key-two-2").digest(): Client("client-2"),
    }
    assert identify("key-two-2", snapshot, 0.0) == Client("client-2")


def test_a_provider_is_built_with_all_that_was_said_of_it() -> None:
    provider = snapshot_of(
        """
providers:
  ours:
    type: compatible
    dialect: anthropic
    base-url: https://LLM.example.com:8443/api/v1
    api-key: k-0123456789
    proxy-url: http://127.0.0.1:3128
    http2: true
    headers: {X-Team: search}
    models: [a, b-*]
    deadlines: {connect: 1, first-byte: 2, between-bytes: 3, total: 4}
"""
    ).providers["ours"]
    origin = provider.origin
    assert (origin.scheme, origin.host, origin.port) == ("https", "llm.example.com", 8443)
    assert (origin.proxy, origin.http2) == ("http://127.0.0.1:3128", True)
    assert provider.dialects[Operation.CHAT] == ("anthropic",)
    assert provider.headers == ((b"x-team", b"search"),)
    assert (provider.models, provider.secret) == (("a", "b-*"), Secret("k-0123456789"))
    assert provider.deadlines == Deadlines(1.0, 2.0, 3.0, 4.0)


def test_a_compatible_host_speaks_openai_unless_told_otherwise() -> None:
    snapshot = snapshot_of("providers: {c: {type: compatible, base-url: 'http://127.0.0.1:1/v1'}}")
    assert snapshot.providers["c"].dialects[Operation.CHAT] == ("openai_chat",)


def test_a_disabled_provider_is_not_there_and_needs_no_key() -> None:
    snapshot = snapshot_of(
        "providers: {openai: {enabled: false}, vllm: {}}\nroutes: {r: [openai/a, vllm/b], s: [openai/c]}"
    )
    assert list(snapshot.providers) == ["vllm"]
    assert snapshot.routes == {"r": Route(tiers=first_of(Target("vllm", "b")))}


@pytest.mark.parametrize(
    ("alias", "targets"),
    [
        ("openai/o9", [("openai", "o9")]),
        ("openai://o9", [("openai", "o9")]),
        ("both", [("openai", "gpt-5"), ("vllm", "tiny")]),
        ("deeper", [("openai", "gpt-5"), ("vllm", "tiny")]),
        ("tiny", [("vllm", "tiny")]),
        ("gpt-4.1", [("openai", "gpt-4.1")]),
    ],
)
def test_an_alias_leads_to_what_its_name_means(alias: str, targets: list[tuple[str, str]]) -> None:
    routes = f"{TWO}routes: {{both: [openai/gpt-5, vllm/tiny]}}\naliases: {{deeper: both, a: '{alias}'}}"
    assert plan_of(snapshot_of(routes), "a").tiers == first_of(*(Target(*target) for target in targets))


def test_an_alias_shared_by_providers_tries_them_in_their_order() -> None:
    snapshot = snapshot_of("providers: {vllm: {models: [m]}, ollama: {models: [m]}}\naliases: {a: m}")
    assert plan_of(snapshot, "a").tiers == first_of(Target("vllm", "m"), Target("ollama", "m"))


def test_an_unchecked_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody is not a known type"):
        compile_config(Config(providers={"nobody": ProviderEntry()}))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "/metrics"),
        ("metrics: {path: /numbers}", "/numbers"),
        ("metrics: {enabled: false, path: /numbers}", None),
    ],
)
def test_metrics_are_read_where_they_are_said_to_be(text: str, path: str | None) -> None:
    assert snapshot_of(text).metrics_path == path
