"""Two gateways with one server of Redis or Valkey: what one keeps, the other has."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.upstream import Upstream
from support.asking import ask_json
from support.servers import open_redis

WITHIN = 20.0
"""Seconds; a busy machine's first calls to the server may be given up, and are made up for."""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[str]:
    with open_redis(tmp_path) as server:
        yield server.url.reveal()


def call(gateway: RunningGateway, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    method = "GET" if body is None else "POST"
    return ask_json(gateway.root + path, method, body, {"authorization": f"Bearer {CLIENT_KEY}"})


def limited(gateway: RunningGateway) -> list[tuple[object, object]]:
    """Who rests at a gateway, by provider and model."""
    _, told = call(gateway, "/admin/rests")
    rests = told["rests"]
    assert isinstance(rests, list)
    return [(one["provider"], one["model"]) for one in rests]


def test_what_a_provider_asked_of_one_is_known_to_the_other(upstream: Upstream, shared: str, tmp_path: Path) -> None:
    config = between(upstream, more=f"state: {{url: '{shared}'}}")
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    with open_gateway(config, folders[0]) as one, open_gateway(config, folders[1]) as other:
        deadline = time.monotonic() + WITHIN
        asked = {"model": "openai/fails-429", "messages": [{"role": "user", "content": "Hi"}]}
        while not limited(other) and time.monotonic() < deadline:
            call(one, "/v1/chat/completions", asked)
            time.sleep(0.2)
        assert limited(other) == [("openai", "fails-429")]
        one.wake_all()
        while limited(other) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert limited(other) == []


def test_a_response_kept_by_one_is_told_by_the_other(upstream: Upstream, shared: str, tmp_path: Path) -> None:
    config = between(upstream, more=f"state: {{url: '{shared}'}}")
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    with open_gateway(config, folders[0]) as one, open_gateway(config, folders[1]) as other:
        _, kept = call(one, "/v1/responses", {"model": "anthropic/says-hello", "input": "Hi"})
        deadline = time.monotonic() + WITHIN
        while (told := call(other, f"/v1/responses/{kept['id']}"))[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert told == (200, kept)
