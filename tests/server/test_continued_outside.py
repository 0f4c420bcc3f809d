"""An answer that another provider goes on with, as the official clients have it: one answer, and a good end."""

import json
import urllib.request
from collections.abc import Iterator

import openai
import pytest

from fakes import anthropic_sdk, openai_sdk
from fakes.clients import Door, through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.scripts import HELLO, KEY
from fakes.upstream import Upstream

BREAKS = ("resets-midway", "ends-midway", "errs-midway")


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    providers = f"  groq: {{base-url: '{upstream.root}/v1', api-key: {KEY}, models: [goes-on]}}\n"
    routes = "".join(
        f"  {dialect}-{script}: {{targets: [{dialect}/{script}, groq/goes-on], continue: true}}\n"
        for script in BREAKS
        for dialect in ("openai", "anthropic")
    )
    routes += "  gone: {targets: [openai/resets-midway], continue: true}\n"
    routes += "  late: {targets: [openai/ends-midway, groq/goes-on-late], continue: true}\n"
    config = between(
        upstream,
        providers=providers,
        more=f"limits: {{ping-every: 0.1}}\nroutes:\n{routes}",
    )
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    gateway.wake_all()
    return through(gateway, "openai")


@pytest.fixture(params=[f"{dialect}-{script}" for dialect in ("openai", "anthropic") for script in BREAKS])
def route(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_openai_client_has_one_whole_completion(door: Door, route: str) -> None:
    completion = openai_sdk.streamed(door, model=route, messages=[{"role": "user", "content": "Hello?"}])
    assert completion.choices[0].message.content == HELLO
    assert completion.choices[0].finish_reason == "stop"


def test_the_openai_client_has_one_whole_response(door: Door, route: str) -> None:
    with openai_sdk.synchronous(door) as client, client.responses.stream(model=route, input="Hello?") as stream:
        response = stream.get_final_response()
    assert (response.output_text, response.status) == (HELLO, "completed")


def test_the_anthropic_client_has_one_whole_message(door: Door, route: str) -> None:
    message = anthropic_sdk.streamed(door, model=route, messages=[{"role": "user", "content": "Hello?"}])
    assert [block.type for block in message.content] == ["text"]
    assert message.content[0].text == HELLO  # type: ignore[union-attr]  # it is a text
    assert message.stop_reason == "end_turn"


def test_the_log_tells_of_the_seam(door: Door, gateway: RunningGateway) -> None:
    openai_sdk.streamed(door, model="openai-ends-midway", messages=[{"role": "user", "content": "Hello?"}])
    assert '"note":"continued"' in gateway.said_soon("by groq/goes-on")


def test_the_client_is_kept_company_while_the_rest_is_asked_for(door: Door) -> None:
    """Buffering for a fallback drops keep-alives. github.com/BerriAI/litellm/issues/39431"""
    body = json.dumps({"model": "late", "stream": True, "messages": [{"role": "user", "content": "Hello?"}]}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {door.key}"}
    asking = urllib.request.Request(f"{door.root}/v1/chat/completions", body, headers)
    with urllib.request.urlopen(asking, timeout=10) as answer:
        told = answer.read()
    parts = told.split(b": ping\n\n")
    begun, ended = (
        next(number for number, part in enumerate(parts) if mark in part)
        for mark in (b'"Hello', b'"finish_reason":"stop"')
    )
    assert begun < ended, "no ping stands between the words of the two"
    assert b"isthmus continued at" in parts[-1]
    assert told.endswith(b"data: [DONE]\n\n")


def test_an_answer_that_nobody_goes_on_with_is_an_error(door: Door) -> None:
    with pytest.raises(openai.APIError):
        openai_sdk.streamed(door, model="gone", messages=[{"role": "user", "content": "Hello?"}])
