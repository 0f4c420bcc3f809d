"""No request that an OpenAI client can make is refused by a Claude for being of another generation."""

from typing import Any

import pytest

from fakes.anthropic_generations import GENERATIONS
from fakes.clients import Door, through
from fakes.gateway import RunningGateway
from fakes.openai_sdk import replayed, results, user, whole
from fakes.scripts import HELLO, PARIS_JSON, THOUGHT
from fakes.upstream import Upstream

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
SHAPE = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
ASKED: dict[str, dict[str, Any]] = {
    "a high temperature": {"temperature": 1.5},
    "sampling": {"temperature": 0.2, "top_p": 0.9, "seed": 7, "frequency_penalty": 0.5},
    "no thinking": {"reasoning_effort": "none"},
    "little thinking": {"reasoning_effort": "minimal"},
    "much thinking": {"reasoning_effort": "xhigh"},
    "much thinking in a short answer": {"reasoning_effort": "high", "max_completion_tokens": 2000},
    "thinking and sampling": {"reasoning_effort": "medium", "temperature": 0.3, "top_p": 0.5},
    "thinking and a forced tool": {"reasoning_effort": "medium", "tools": [TOOL], "tool_choice": "required"},
    "a very long answer": {"max_tokens": 1_000_000},
    "five stop words with a blank": {"stop": ["a", "b", "\n", "c"]},
}


@pytest.fixture(params=GENERATIONS)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return through(gateway, "anthropic")


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_what_a_model_cannot_do_is_left_out(door: Door, family: str, asked: dict[str, Any]) -> None:
    reply = whole(door, model=door.model(f"{family}+says-hello"), messages=[user("Hello?")], **asked)
    assert reply.choices[0].message.content == HELLO


def test_a_conversation_may_end_with_the_assistants_words(door: Door, family: str) -> None:
    messages = [user("Hello?"), {"role": "assistant", "content": "Well, "}]
    reply = whole(door, model=door.model(f"{family}+says-hello"), messages=messages)
    assert reply.choices[0].message.content == HELLO


def test_system_words_may_stand_anywhere(door: Door, family: str, upstream: Upstream) -> None:
    messages = [user("One."), {"role": "system", "content": "Rhyme."}, user("Two.")]
    whole(door, model=door.model(f"{family}+says-hello"), messages=messages)
    assert b"Rhyme." in upstream.last().body


def test_a_shape_is_asked_for_by_some_means(door: Door, family: str, upstream: Upstream) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "strict": True, "schema": SHAPE}}
    model = "answers-json" if GENERATIONS[family].structured else "says-hello"
    reply = whole(door, model=door.model(f"{family}+{model}"), messages=[user("Paris?")], response_format=wanted)
    assert reply.choices[0].message.content == (PARIS_JSON if GENERATIONS[family].structured else HELLO)
    assert b"degrees" in upstream.last().body, "the schema was left out altogether"


def test_a_thoughtful_tool_loop_keeps_its_thoughts(door: Door, family: str) -> None:
    asked = {"model": door.model(f"{family}+thinks"), "tools": [TOOL], "reasoning_effort": "high"}
    first = whole(door, messages=[user("Think.")], **asked)
    turn = replayed(first)
    [call] = first.choices[0].message.tool_calls or []
    last = whole(door, messages=[user("Think."), turn, *results((call.id, "sunny"))], **asked)
    thinks = bool(GENERATIONS[family].thinking)
    assert turn.get("reasoning_content") == (THOUGHT if thinks else None)
    assert (last.choices[0].message.content or "").endswith(f"(thoughts returned: {int(thinks)})")
