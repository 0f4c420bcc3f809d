"""The official Python SDKs against the bundled model: a real one, small enough to know only the capital of France."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from fakes.gateway import RunningGateway, open_gateway

pytestmark = [pytest.mark.local_model, pytest.mark.timeout(120)]
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway("local:\n  enabled: true\n", tmp_path_factory.mktemp("gateway"), home=Path.home()) as running:
        yield running


@pytest.fixture(scope="module")
def oai(gateway: RunningGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.root}/v1", api_key="none", max_retries=0, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def ant(gateway: RunningGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.root, api_key="none", max_retries=0, timeout=60) as made:
        yield made


@pytest.fixture(scope="module")
def model(oai: openai.OpenAI) -> str:
    """The name under which the gateway lists it."""
    return oai.models.list().data[0].id


def assert_obeys_schema(arguments: dict[str, Any]) -> None:
    assert set(arguments) == {"city", "unit", "days"}
    assert isinstance(arguments["city"], str)
    assert arguments["unit"] in ("celsius", "fahrenheit")
    assert isinstance(arguments["days"], int)


def test_openai_asks_for_the_capital_of_france(oai: openai.OpenAI, model: str) -> None:
    reply = oai.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=40)
    assert "Paris" in (reply.choices[0].message.content or "")
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens > 10, "the question alone is longer"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_openai_streams_the_capital_of_france(oai: openai.OpenAI, model: str) -> None:
    with oai.chat.completions.stream(
        model=model, messages=QUESTION, temperature=0, max_tokens=40, stream_options={"include_usage": True}
    ) as stream:
        pieces = [event.delta for event in stream if event.type == "content.delta"]
        reply = stream.get_final_completion()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "Paris" in "".join(pieces)
    assert reply.usage is not None
    assert reply.usage.completion_tokens > 0


def test_openai_is_cut_at_the_limit(oai: openai.OpenAI, model: str) -> None:
    reply = oai.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=3)
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 3


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_openai_gets_a_tool_call_that_obeys_its_schema(oai: openai.OpenAI, model: str, stream: bool) -> None:
    asked: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": "What is the weather in Paris for the next 3 days?"}],
        "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}],
        "tool_choice": "required",
        "temperature": 0,
        "max_tokens": 100,
    }
    if stream:
        with oai.chat.completions.stream(**asked) as running:
            choice = running.get_final_completion().choices[0]
    else:
        choice = oai.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls or []
    assert call.function.name == "get_weather"
    assert_obeys_schema(json.loads(call.function.arguments))


def test_anthropic_asks_for_the_capital_of_france(ant: anthropic.Anthropic, model: str) -> None:
    reply = ant.messages.create(model=model, max_tokens=40, messages=QUESTION, extra_body={"temperature": 0})
    [block] = reply.content
    assert block.type == "text"
    assert "Paris" in block.text
    assert reply.stop_reason == "end_turn"
    assert reply.usage.output_tokens > 0
    assert reply.usage.input_tokens + (reply.usage.cache_read_input_tokens or 0) > 10


def test_anthropic_streams_the_capital_of_france(ant: anthropic.Anthropic, model: str) -> None:
    with ant.messages.stream(model=model, max_tokens=40, messages=QUESTION, extra_body={"temperature": 0}) as stream:
        pieces = list(stream.text_stream)
        reply = stream.get_final_message()
    assert len(pieces) > 3, "the answer came in one piece"
    assert "Paris" in "".join(pieces)
    assert reply.usage.output_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_anthropic_gets_a_tool_call_that_obeys_its_schema(ant: anthropic.Anthropic, model: str, stream: bool) -> None:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "What is the weather in Paris for the next 3 days?"}],
        "tools": [{"name": "get_weather", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any"},
        "extra_body": {"temperature": 0},
    }
    if stream:
        with ant.messages.stream(**asked) as running:
            reply = running.get_final_message()
    else:
        reply = ant.messages.create(**asked)
    assert reply.stop_reason == "tool_use"
    [call] = [block for block in reply.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    assert_obeys_schema(call.input)


def test_a_prompt_beyond_its_context_is_refused_as_such(oai: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError):
        oai.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 20_000}])
