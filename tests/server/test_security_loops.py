"""A provider that leads back to the gateway itself, by mistake or by malice, costs a few requests and no more."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.gateway import RunningGateway, free_port, open_gateway
from fakes.transport import Scripted
from isthmus.engine.lane import HOPS, MOST_HOPS
from isthmus.providers.build import build
from isthmus.providers.provider import Provider
from isthmus.providers.table import PROVIDERS
from support import asking
from support.line import Line, provider

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
    b'"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'
)


@pytest.fixture(scope="module")
def looped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway whose provider is itself, in the caller's dialect and in another, as a place of its own and as one of
    three."""
    again = free_port()
    folder: Path = tmp_path_factory.mktemp("looped")
    entry = f"type: compatible, base-url: 'http://127.0.0.1:{again}/v1', api-key: none-0123, models: ['*']"
    config = f"""
  - {{host: 127.0.0.1, port: {again}}}
providers:
  same: {{{entry}}}
  other: {{{entry}, dialect: anthropic}}
  third: {{{entry}}}
routes:
  round: [same/round]
  turned: [other/turned]
  thrice: [same/thrice, other/thrice, third/thrice]
local: {{enabled: false}}
"""
    with open_gateway(config, folder) as running:
        yield running


def ask(gateway: RunningGateway, model: str) -> tuple[int, str]:
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}).encode()
    headers = {"content-type": "application/json"}
    status, told, _ = asking.ask(f"{gateway.root}/v1/chat/completions", "POST", body, headers)
    return status, told.decode()


def exchanges(gateway: RunningGateway) -> int:
    with urllib.request.urlopen(f"{gateway.root}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("isthmus_exchanges_total{"))


@pytest.mark.parametrize("model", ["round", "turned", "thrice"])
def test_a_request_that_comes_back_is_refused_after_a_few_rounds(looped: RunningGateway, model: str) -> None:
    before = exchanges(looped)
    status, told = ask(looped, model)
    assert status == 400
    assert f"has been through {MOST_HOPS} gateways" in told
    assert exchanges(looped) - before == MOST_HOPS + 1


async def test_every_gateway_on_the_way_counts_itself() -> None:
    for told, sent in ((None, b"1"), (b"1", b"2"), (b"7", b"8")):
        line = Line([may_be_gateway()], {"one": [Scripted(ANSWER)]})
        await line.ask(ASKED, headers=() if told is None else ((HOPS, told),))
        assert dict(line.transport.sent[0].headers)[HOPS] == sent


@pytest.mark.parametrize("told", [b"8", b"99", b"999"])
async def test_a_request_that_has_been_around_is_sent_nowhere(told: bytes) -> None:
    line = Line([may_be_gateway()], {"one": [Scripted(ANSWER)]})
    status, _, body = await line.ask(ASKED, headers=((HOPS, told),))
    assert (status, b"gateways" in body) == (400, True)
    assert not line.transport.sent


@pytest.mark.parametrize("told", [b"", b"-1", b"many", b"9" * 5000, b"1e3", b"\xb2"])
async def test_what_is_no_count_is_none(told: bytes) -> None:
    line = Line([may_be_gateway()], {"one": [Scripted(ANSWER)]})
    await line.ask(ASKED, headers=((HOPS, told),))
    assert dict(line.transport.sent[0].headers)[HOPS] == b"1"


async def test_a_vendors_own_address_is_not_told() -> None:
    line = Line([provider("one")], {"one": [Scripted(ANSWER)]})
    await line.ask(ASKED, headers=((HOPS, b"3"),))
    assert HOPS not in dict(line.transport.sent[0].headers)
    assert not build(PROVIDERS["openai"], name="openai").may_be_gateway
    assert build(PROVIDERS["openai"], name="openai", base_url="https://gateway.example.com/v1").may_be_gateway


def may_be_gateway() -> Provider:
    return replace(provider("one"), may_be_gateway=True)
