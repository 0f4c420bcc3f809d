"""The official clients, a gateway and a Bedrock that holds every request to AWS's own description of its API."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from fakes import anthropic_sdk, openai_sdk
from fakes.bedrock_host import HELLO, KEY, PAIR, REGION, BedrockHost, open_bedrock
from fakes.clients import Door
from fakes.gateway import CLIENT_KEY, RunningGateway, open_gateway

NOVA = "amazon.nova-pro-v1:0"
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": SCHEMA}
QUESTION = [{"role": "user", "content": "Weather?"}]


@pytest.fixture(scope="module")
def bedrock() -> Iterator[BedrockHost]:
    with open_bedrock() as host:
        yield host


@pytest.fixture(scope="module")
def gateway(bedrock: BedrockHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Two ways in: `bedrock` with a bearer key, and `signed` with what AWS's own file holds."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / ".aws").mkdir()
    pair = f"aws_access_key_id = {PAIR.access_key}\naws_secret_access_key = {PAIR.secret_key}\n"
    (folder / ".aws" / "credentials").write_text(f"[work]\n{pair}")
    config = f"""
providers:
  bedrock:
    base-url: {bedrock.url}
    api-key: {KEY}
  signed:
    type: bedrock
    base-url: {bedrock.url}
    region: {REGION}
    profile: work
client-keys:
  - name: tester
    key: {CLIENT_KEY}
"""
    with open_gateway(config, folder) as running:
        yield running


@pytest.fixture(params=["bedrock", "signed"])
def door(request: pytest.FixtureRequest, gateway: RunningGateway) -> Door:
    return Door(gateway.root, CLIENT_KEY, f"{request.param}/", "bedrock")


@pytest.mark.parametrize("model", [NOVA, SONNET, "claude-haiku-4.5"])
@pytest.mark.parametrize("ask", [openai_sdk.whole, openai_sdk.streamed], ids=lambda way: way.__name__)
def test_an_openai_client_hears_the_words(door: Door, model: str, ask: Callable[..., Any]) -> None:
    reply = ask(door, model=door.model(model), messages=QUESTION)
    assert reply.choices[0].message.content == HELLO
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == door.model(model)
    assert len(reply.id) > len("chatcmpl-")


@pytest.mark.parametrize("model", [NOVA, SONNET])
@pytest.mark.parametrize("ask", [anthropic_sdk.whole, anthropic_sdk.streamed], ids=lambda way: way.__name__)
def test_an_anthropic_client_hears_the_words(door: Door, model: str, ask: Callable[..., Any]) -> None:
    reply = ask(door, model=door.model(model), messages=QUESTION)
    assert anthropic_sdk.text_of(reply) == HELLO
    assert reply.stop_reason == "end_turn"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (20, 10)


@pytest.mark.parametrize("ask", [openai_sdk.whole, openai_sdk.streamed], ids=lambda way: way.__name__)
def test_an_openai_client_runs_its_tool_and_asks_again(door: Door, ask: Callable[..., Any]) -> None:
    asked = {"model": door.model(NOVA), "tools": [OPENAI_TOOL]}
    first = ask(door, messages=QUESTION, **asked)
    assert first.choices[0].finish_reason == "tool_calls"
    (call,) = first.choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages = [*QUESTION, openai_sdk.replayed(first), *openai_sdk.results((call.id, "3 degrees"))]
    assert ask(door, messages=messages, **asked).choices[0].message.content == HELLO


@pytest.mark.parametrize("ask", [anthropic_sdk.whole, anthropic_sdk.streamed], ids=lambda way: way.__name__)
def test_an_anthropic_client_runs_its_tool_and_asks_again(door: Door, ask: Callable[..., Any]) -> None:
    asked = {"model": door.model(NOVA), "tools": [ANTHROPIC_TOOL]}
    first = ask(door, messages=QUESTION, **asked)
    assert first.stop_reason == "tool_use"
    (call,) = anthropic_sdk.calls_of(first)
    assert call.input == {"city": "Oslo"}
    answer = anthropic_sdk.user([anthropic_sdk.result(call.id, "3 degrees")])
    reply = ask(door, messages=[*QUESTION, anthropic_sdk.replayed(first), answer], **asked)
    assert anthropic_sdk.text_of(reply) == HELLO


def test_claude_is_asked_by_invoke_and_nova_by_converse(door: Door, bedrock: BedrockHost) -> None:
    for model, method in ((NOVA, "converse"), (SONNET, "invoke")):
        openai_sdk.whole(door, model=door.model(model), messages=QUESTION)
        assert bedrock.seen[-1].path == f"/model/{model.replace(':', '%3A')}/{method}"


def test_claudes_own_client_is_passed_on_but_for_the_envelope(door: Door, bedrock: BedrockHost) -> None:
    anthropic_sdk.whole(door, model=door.model(SONNET), messages=QUESTION, extra_headers={"anthropic-beta": "x"})
    seen = bedrock.seen[-1]
    assert seen.body == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": seen.body["max_tokens"],
        "messages": QUESTION,
    }
    assert not [name for name in seen.headers if name.startswith("anthropic-")]


def test_a_limit_is_told_as_a_limit(door: Door, gateway: RunningGateway) -> None:
    with pytest.raises(openai.RateLimitError, match="Too many requests"):
        openai_sdk.whole(door, model=door.model("amazon.throttled-v1:0"), messages=QUESTION)
    gateway.wake_all()
    with pytest.raises(anthropic.RateLimitError, match="Too many requests"):
        anthropic_sdk.whole(door, model=door.model("anthropic.claude-throttled-v1:0"), messages=QUESTION)


@pytest.mark.parametrize("model", ["amazon.breaking-v1:0", "anthropic.claude-breaking-v1:0"])
def test_a_stream_that_breaks_is_told_as_broken(door: Door, model: str) -> None:
    with pytest.raises(openai.APIError, match="stumbled"):
        openai_sdk.streamed(door, model=door.model(model), messages=QUESTION)


def test_without_a_credential_the_log_says_what_to_do(
    bedrock: BedrockHost, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    config = f"providers:\n  bedrock:\n    base-url: {bedrock.url}\n"
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as bare:
        door = Door(bare.root, "any", "bedrock/", "bedrock")
        with pytest.raises(openai.InternalServerError) as raised:
            openai_sdk.whole(door, model=door.model(NOVA), messages=QUESTION)
        assert "AWS_ACCESS_KEY_ID" not in str(raised.value), (
            "what is wrong with our credentials is nobody else's business"
        )
        bare.process.terminate()
        bare.process.wait(10)
        assert "aws configure" in bare.said()


def test_betas_that_the_host_does_not_know_are_told_as_losses(gateway: RunningGateway) -> None:
    with anthropic.Anthropic(base_url=gateway.root, api_key=CLIENT_KEY) as client:
        raw = client.messages.with_raw_response.create(
            model=f"bedrock/{SONNET}",
            max_tokens=50,
            messages=QUESTION,
            extra_headers={"anthropic-beta": "interleaved-thinking-2025-05-14,claude-code-20250219"},
        )
    assert raw.headers["x-isthmus-losses"] == "betas.claude-code-20250219;dropped"


def test_claude_is_listed_as_its_makers_and_others_as_the_providers(gateway: RunningGateway) -> None:
    with openai.OpenAI(base_url=f"{gateway.root}/v1", api_key=CLIENT_KEY) as client:
        owners = {model: client.models.retrieve(f"bedrock/{model}").owned_by for model in (SONNET, NOVA)}
    assert owners == {SONNET: "anthropic", NOVA: "bedrock"}
