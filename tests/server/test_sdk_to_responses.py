"""The official SDKs in front of a provider that serves its model by Responses only, and refuses what OpenAI refuses.

Straight at the scripted provider, which judges the script itself; through the gateway in its own dialect; and
through it from chat completions and from Anthropic's messages.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openai
import pytest
from httpx2 import TransportError

from fakes import anthropic_sdk, openai_sdk
from fakes.clients import Door, straight_to, through
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.openai_sdk import synchronous
from fakes.scripts import HELLO, KEY, SCRIPTS, THOUGHT, TOKENS
from fakes.upstream import Upstream

ONLY = "gpt-5-pro+"
"""A model that is served by Responses alone; the script is named behind it."""
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "The weather of a city."}
PNG = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    models = ", ".join(ONLY + name for name in SCRIPTS)
    provider = (
        f"  pro:\n    type: openai\n    base-url: {upstream.root}/v1\n    api-key: {KEY}\n    models: [{models}]\n"
    )
    with open_gateway(between(upstream, providers=provider), tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return through(gateway, "pro")


def model(door: Door, script: str) -> str:
    return door.model(ONLY + script)


@pytest.fixture(params=["straight", "through"])
def own(request: pytest.FixtureRequest, upstream: Upstream, door: Door) -> Door:
    return straight_to(upstream, "openai") if request.param == "straight" else door


def test_the_same_dialect_is_passed_through(own: Door, upstream: Upstream) -> None:
    with synchronous(own) as client, client.responses.stream(model=model(own, "says-hello"), input="Hello?") as stream:
        assert stream.get_final_response().output_text == HELLO
    assert upstream.last().path == "/v1/responses"


def test_a_tool_is_called_and_its_result_used(own: Door) -> None:
    tool: Any = {"type": "function", **WEATHER, "parameters": SCHEMA, "strict": False}
    asked: dict[str, Any] = {"model": model(own, "calls-one"), "tools": [tool]}
    with synchronous(own) as client:
        first = client.responses.create(input="Weather?", store=False, **asked)
        [call] = [item for item in first.output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
        history: Any = [{"role": "user", "content": "Weather?"}, call.to_dict(), result]
        assert client.responses.create(input=history, **asked).output_text == "Paris: sunny"


@pytest.mark.parametrize("ask", [openai_sdk.whole, openai_sdk.streamed])
def test_chat_is_answered_by_responses(door: Door, ask: openai_sdk.Ask, upstream: Upstream) -> None:
    reply = ask(door, model=model(door, "says-hello"), messages=[{"role": "user", "content": "Hello?"}])
    assert reply.choices[0].message.content == HELLO
    assert reply.usage is not None
    assert reply.usage.completion_tokens == TOKENS.visible + TOKENS.thought
    assert upstream.last().path == "/v1/responses"
    assert upstream.last().json["store"] is False


@pytest.mark.parametrize("ask", [openai_sdk.whole, openai_sdk.streamed])
def test_a_chats_tools_are_called_by_responses(door: Door, ask: openai_sdk.Ask, upstream: Upstream) -> None:
    tool = {"type": "function", "function": {**WEATHER, "parameters": SCHEMA}}
    asked: dict[str, Any] = {"model": model(door, "calls-two"), "tools": [tool]}
    said = {"role": "user", "content": "Weather?"}
    first = ask(door, messages=[said], **asked)
    paris, oslo = first.choices[0].message.tool_calls or []
    results = openai_sdk.results((oslo.id, "snow"), (paris.id, "sunny"))
    last = ask(door, messages=[said, openai_sdk.replayed(first), *results], **asked)
    assert last.choices[0].message.content == "Paris: sunny; Oslo: snow"
    assert upstream.last().verdict is None


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "forgotten"])
def test_a_sealed_thought_comes_back_whether_or_not_the_client_kept_it(
    door: Door, keeps: bool, upstream: Upstream
) -> None:
    tool = {"type": "function", "function": {**WEATHER, "parameters": SCHEMA}}
    asked: dict[str, Any] = {"model": model(door, "thinks"), "tools": [tool], "reasoning_effort": "high"}
    said = {"role": "user", "content": "Think."}
    first = openai_sdk.whole(door, messages=[said], **asked)
    turn = openai_sdk.replayed(first)
    assert turn["reasoning_content"] == THOUGHT
    if not keeps:
        turn = {name: value for name, value in turn.items() if not name.startswith("reasoning")}
    [call] = first.choices[0].message.tool_calls or []
    last = openai_sdk.whole(door, messages=[said, turn, *openai_sdk.results((call.id, "sunny"))], **asked)
    assert upstream.last().verdict is None
    assert (last.choices[0].message.content or "").endswith("(thoughts returned: 1)")


def test_anthropics_messages_are_answered_by_responses(door: Door, upstream: Upstream) -> None:
    asked: dict[str, Any] = {"model": model(door, "says-hello"), "max_tokens": 64}
    with anthropic_sdk.synchronous(door) as client:
        reply = client.messages.create(messages=[{"role": "user", "content": "Hello?"}], system="Be kind.", **asked)
    assert reply.content[0].to_dict()["text"] == HELLO
    assert upstream.last().json["instructions"] == "Be kind."


def test_an_anthropic_tool_loop_with_thoughts_goes_on(door: Door, upstream: Upstream) -> None:
    asked: dict[str, Any] = {
        "model": model(door, "thinks"),
        "max_tokens": 4096,
        "tools": [{**WEATHER, "input_schema": SCHEMA}],
        "thinking": {"type": "enabled", "budget_tokens": 2048},
    }
    said: Any = {"role": "user", "content": "Think."}
    with anthropic_sdk.synchronous(door) as client:
        first = client.messages.create(messages=[said], **asked)
        content = [block.to_dict() for block in first.content]
        [call] = [block for block in content if block["type"] == "tool_use"]
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "sunny"}]}
        history: Any = [said, {"role": "assistant", "content": content}, result]
        last = client.messages.create(messages=history, **asked)
    assert upstream.last().verdict is None
    assert last.content[-1].to_dict()["text"].endswith("(thoughts returned: 1)")


def test_pictures_and_schemas_reach_the_provider(door: Door, upstream: Upstream) -> None:
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What?"}, picture]}]
    shown = openai_sdk.whole(door, model=model(door, "sees"), messages=asked)
    assert (shown.choices[0].message.content or "").startswith("I see image/png:")
    closed = {**SCHEMA, "additionalProperties": False}
    format_ = {"type": "json_schema", "json_schema": {"name": "city", "schema": closed, "strict": True}}
    said: Any = [{"role": "user", "content": "Paris?"}]
    told = openai_sdk.whole(door, model=model(door, "answers-json"), messages=said, response_format=format_)
    assert json.loads(told.choices[0].message.content or "")["city"] == "Paris"
    assert upstream.last().verdict is None


@pytest.mark.parametrize(
    ("script", "kind"), [("fails-400", openai.BadRequestError), ("fails-429", openai.RateLimitError)]
)
def test_a_refusal_keeps_its_status(own: Door, script: str, kind: type[openai.APIStatusError]) -> None:
    with synchronous(own) as client, pytest.raises(kind):
        client.responses.create(model=model(own, script), input="Hello?")


@pytest.mark.parametrize("script", ["errs-midway", "ends-midway", "resets-midway"])
def test_what_breaks_off_never_ends_like_a_success(own: Door, script: str) -> None:
    """What was said before is heard; then comes an error, or the connection ends."""
    kinds: list[str] = []
    with synchronous(own) as client, suppress(openai.APIError, TransportError):
        stream = client.responses.create(model=model(own, script), input="Hello?", stream=True)
        kinds.extend(event.type for event in stream)
    assert kinds[0] == "response.created"
    assert "response.completed" not in kinds


def test_an_answer_that_runs_out_is_incomplete(own: Door) -> None:
    with synchronous(own) as client:
        reply = client.responses.create(model=model(own, "runs-out"), input="Count.")
    assert reply.status == "incomplete"
