"""Limits that are configured hold at the door, and who meets one is told so in a way that its client understands."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from fakes.clients import Door
from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.raw import ask
from fakes.scripts import KEY
from fakes.upstream import Upstream

POOLS = """
  {name}:
    type: compatible
    dialect: openai
    base-url: {root}/v1
    models: [says-hello]
    api-keys:
      - {{name: a, key: {key}, requests-per-minute: 2}}
"""
DIALECTS = ("openai", "anthropic")
WORDS = {"openai": "rate_limit_exceeded", "anthropic": "rate_limit_error"}


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    pools = "".join(POOLS.format(name=f"pool-{dialect}", root=upstream.root, key=KEY) for dialect in DIALECTS)
    key = f"    key: {CLIENT_KEY}"
    config = between(upstream, providers=pools).replace(key, f"{key}\n    requests-per-minute: 9")
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return Door(gateway.root, CLIENT_KEY, "", "")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_is_used_up_and_then_the_caller_is_told_when_it_has_room(dialect: str, door: Door) -> None:
    heard = [ask(door, dialect, f"pool-{dialect}/says-hello") for _ in range(3)]
    assert [one.status for one in heard] == [200, 200, 429]
    assert 50 <= int(heard[-1].headers["retry-after"]) <= 65
    assert WORDS[dialect] in heard[-1].body.decode()
    assert "no key of this model has room in its limits" in heard[-1].body.decode()


def test_a_client_that_asks_too_often_is_told_so(door: Door) -> None:
    heard = [ask(door, "openai", "openai/says-hello") for _ in range(10)]
    assert heard[-1].status == 429
    assert "9 requests a minute for client tester" in heard[-1].body.decode()
    assert 50 <= int(heard[-1].headers["retry-after"]) <= 65


def test_health_tells_where_limits_are_held(gateway: RunningGateway) -> None:
    with urllib.request.urlopen(f"{gateway.root}/health", timeout=5) as answer:
        assert json.load(answer)["limits"] == "local"
