"""Hosts that speak OpenAI's dialect in their own way: strict clients of either dialect notice nothing."""

import json
from collections.abc import Callable

import anthropic
import pytest

from fakes import anthropic_sdk, openai_sdk
from fakes.clients import Door, through
from fakes.gateway import RunningGateway
from fakes.openai_habits import HABITS
from fakes.scripts import HELLO

ANYTHING = {"type": "object", "properties": {}}
OPENAI_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": ANYTHING}}
ANTHROPIC_TOOL = {"name": "get_weather", "input_schema": ANYTHING}
QUESTION = [{"role": "user", "content": "Weather?"}]


@pytest.fixture(params=HABITS)
def habit(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return through(gateway, "openai")


@pytest.mark.parametrize("ask", [anthropic_sdk.whole, anthropic_sdk.streamed], ids=lambda way: way.__name__)
def test_an_anthropic_client_hears_both_calls(
    door: Door, habit: str, ask: Callable[..., anthropic.types.Message]
) -> None:
    reply = ask(door, model=door.model(f"is-odd@{habit}"), messages=QUESTION, tools=[ANTHROPIC_TOOL])
    assert [block.type for block in reply.content] == ["text", "tool_use", "tool_use"]
    assert reply.stop_reason == "tool_use", "a client runs its tools only when it is told that it was asked to"
    calls = anthropic_sdk.calls_of(reply)
    assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Oslo"}]
    assert len({call.id for call in calls}) == 2
    assert reply.usage.output_tokens >= 0


@pytest.mark.parametrize("ask", [anthropic_sdk.whole, anthropic_sdk.streamed], ids=lambda way: way.__name__)
def test_an_anthropic_client_hears_the_text(
    door: Door, habit: str, ask: Callable[..., anthropic.types.Message]
) -> None:
    reply = ask(door, model=door.model(f"is-odd@{habit}"), messages=QUESTION)
    assert anthropic_sdk.text_of(reply) == HELLO
    assert reply.stop_reason == "end_turn"


def test_an_openai_client_hears_the_calls_whole(door: Door, habit: str) -> None:
    reply = openai_sdk.whole(door, model=door.model(f"is-odd@{habit}"), messages=QUESTION, tools=[OPENAI_TOOL])
    calls = reply.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {"city": "Oslo"}]


def test_an_openai_client_hears_the_text_streamed(door: Door, habit: str) -> None:
    reply = openai_sdk.streamed(door, model=door.model(f"is-odd@{habit}"), messages=QUESTION)
    assert reply.choices[0].message.content == HELLO
