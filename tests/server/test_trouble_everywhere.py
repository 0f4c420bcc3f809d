"""Trouble at a provider of each dialect, as clients of each dialect see it: at the wire, without their libraries."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import IncompleteRead
from typing import Any, NamedTuple

import pytest

from fakes.gateway import CLIENT_KEY, FURTHER, NATIVE, RunningGateway, between, every_dialect, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

PROVIDERS = ("openai", "anthropic", *FURTHER)
SAID = [{"role": "user", "content": "Hello?"}]


class Client(NamedTuple):
    """Where a dialect asks, with `{model}` in it or in the body, and what only a good end of its streams holds."""

    path: str
    body: Mapping[str, Any]
    ending: str
    message: tuple[str, ...] = ("error", "message")


CLIENTS = {
    "chat": Client("/v1/chat/completions", {"model": "{model}", "messages": SAID, "stream": True}, "[DONE]"),
    "messages": Client(
        "/v1/messages", {"model": "{model}", "messages": SAID, "max_tokens": 64, "stream": True}, "message_stop"
    ),
    "responses": Client("/v1/responses", {"model": "{model}", "input": "Hello?", "stream": True}, "response.completed"),
    "gemini": Client(
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Hello?"}]}]},
        '"finishReason": "STOP"',
    ),
    "ollama": Client("/api/chat", {"model": "{model}", "messages": SAID}, '"done": true', ("error",)),
}


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    config = between(upstream, providers=every_dialect(upstream))
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(params=list(CLIENTS))
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Heard(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: str


def ask(gateway: RunningGateway, client: Client, provider: str, script: str) -> Heard:
    model = f"{provider}/{NATIVE.get(provider, '')}{script}"
    body = json.dumps(client.body).replace("{model}", model).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {CLIENT_KEY}"}
    address = gateway.root + client.path.replace("{model}", model.replace("+", "%2B"))
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=10) as answer:
            try:
                return Heard(answer.status, answer.headers, answer.read().decode())
            except IncompleteRead as cut:
                return Heard(answer.status, answer.headers, cut.partial.decode())
    except urllib.error.HTTPError as error:
        return Heard(error.code, error.headers, error.read().decode())


def test_a_good_stream_ends_well(gateway: RunningGateway, client: Client, provider: str) -> None:
    heard = ask(gateway, client, provider, "says-hello")
    assert heard.status == 200, heard.body
    assert client.ending.replace(": ", ":") in heard.body.replace(": ", ":")


def test_a_limit_is_told_with_its_time_and_its_words(gateway: RunningGateway, client: Client, provider: str) -> None:
    heard = ask(gateway, client, provider, "fails-429")
    assert heard.status == 429
    assert heard.headers["retry-after"] == "7"
    told = json.loads(heard.body)
    for name in client.message:
        told = told[name]
    assert "Rate limit reached for the scripted model" in told


@pytest.mark.parametrize("script", ["ends-midway", "errs-midway", "resets-midway"])
def test_a_broken_stream_does_not_end_well(gateway: RunningGateway, client: Client, provider: str, script: str) -> None:
    heard = ask(gateway, client, provider, script)
    assert heard.status == 200, heard.body
    assert client.ending.replace(": ", ":") not in heard.body.replace(": ", ":")


def test_the_providers_key_stays_here(gateway: RunningGateway, client: Client, provider: str) -> None:
    for script in ("fails-401", "fails-429-with-key", "leaks-midway"):
        assert KEY not in ask(gateway, client, provider, script).body
