"""The scripted provider's judges refuse what the real providers refuse: each rule is shown to bite."""

from typing import Any

import pytest

from fakes import anthropic_judge, openai_judge
from fakes.anthropic_voice import sign
from fakes.wire import Refused

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def user(content: Any = "Hello?") -> dict[str, Any]:
    return {"role": "user", "content": content}


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [user()], **more}


def tool(name: str = "look", **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


def calling(*ids: str) -> dict[str, Any]:
    calls = [{"id": one, "type": "function", "function": {"name": "look", "arguments": "{}"}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def told(call: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call, "content": "sunny"}


def shaped(strict: bool, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "shape", "strict": strict, "schema": schema}}


OPENAI_TAKES = {
    "the least there is": chat(),
    "tools with a choice": chat(tools=[tool()], tool_choice="required", parallel_tool_calls=False),
    "a loop with results in another order": chat(messages=[user(), calling("a", "b"), told("b"), told("a"), user()]),
    "a loose schema": chat(response_format=shaped(False, SCHEMA)),
}
OPENAI_REFUSES = {
    "an unknown field": chat(thinking={"type": "enabled"}),
    "no messages": {"model": "m"},
    "an empty list of messages": chat(messages=[]),
    "an empty list of tools": chat(tools=[]),
    "a choice without tools": chat(tool_choice="auto"),
    "parallel calls without tools": chat(parallel_tool_calls=True),
    "a choice of a tool that is not there": chat(
        tools=[tool()], tool_choice={"type": "function", "function": {"name": "other"}}
    ),
    "a tool name with a space": chat(tools=[tool("look up")]),
    "a tool in Anthropic's dialect": chat(tools=[{"name": "look", "input_schema": SCHEMA}]),
    "parameters that are no object": chat(tools=[tool(parameters={"type": "string"})]),
    "a strict tool with an open schema": chat(tools=[tool(strict=True)]),
    "a strict shape with an open schema": chat(response_format=shaped(True, SCHEMA)),
    "usage options without a stream": chat(stream_options={"include_usage": True}),
    "both limits of the output": chat(max_tokens=5, max_completion_tokens=5),
    "a temperature above two": chat(temperature=2.5),
    "top_logprobs without logprobs": chat(top_logprobs=1),
    "five stop words": chat(stop=list("abcde")),
    "an effort nobody knows": chat(reasoning_effort="heroic"),
    "a role nobody has": chat(messages=[{"role": "model", "content": "x"}]),
    "a result without a call": chat(messages=[user(), told("a")]),
    "a call without a result": chat(messages=[user(), calling("a"), user()]),
    "a call without a result at the end": chat(messages=[user(), calling("a")]),
    "a result behind the user's words": chat(messages=[user(), calling("a", "b"), told("a"), user(), told("b")]),
    "an empty list of calls": chat(messages=[user(), {"role": "assistant", "content": "x", "tool_calls": []}]),
    "a call id of 41 characters": chat(messages=[user(), calling("a" * 41), told("a" * 41)]),
    "an assistant that says nothing": chat(messages=[user(), {"role": "assistant", "content": None}]),
    "cache_control on a message": chat(messages=[{**user(), "cache_control": {"type": "ephemeral"}}]),
    "cache_control on a part": chat(messages=[user([{"type": "text", "text": "x", "cache_control": {}}])]),
    "an image in a tool's result": chat(
        messages=[user(), calling("a"), {**told("a"), "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    ),
    "an image of Anthropic's": chat(messages=[user([{"type": "image", "source": {}}])]),
    "a file without a name": chat(
        messages=[user([{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}])]
    ),
}


@pytest.mark.parametrize("body", OPENAI_TAKES.values(), ids=OPENAI_TAKES)
def test_openai_takes(body: dict[str, Any]) -> None:
    openai_judge.judge(body)


@pytest.mark.parametrize("body", OPENAI_REFUSES.values(), ids=OPENAI_REFUSES)
def test_openai_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        openai_judge.judge(body)


def ask(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 4096, "messages": list(messages) or [user()], **more}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def use(call: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": "look", "input": {}, **more}


def result(call: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": "sunny", **more}


def text(words: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def thought(signature: str | None = None) -> dict[str, Any]:
    block = {"type": "thinking", "thinking": "hm"}
    return block if signature is None else {**block, "signature": signature}


MARKED = text(cache_control={"type": "ephemeral"})
THINKING = {"type": "enabled", "budget_tokens": 2048}
LOOK = {"name": "look", "input_schema": SCHEMA}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
ANTHROPIC_TAKES = {
    "the least there is": ask(),
    "results first, then words": ask(user(), assistant(use()), user([result(), text()])),
    "results in another order": ask(user(), assistant(use("a"), use("b")), user([result("b"), result("a")])),
    "two user turns in a row": ask(user(), user("More.")),
    "its own thought": ask(user(), assistant(thought(sign("hm")), use()), user([result()]), thinking=THINKING),
    "a second call without a thought in one loop": ask(
        user(),
        assistant(thought(sign("hm")), use("a")),
        user([result("a")]),
        assistant(use("b")),
        user([result("b")]),
        thinking=THINKING,
    ),
    "a prefill": ask(user(), assistant(text("Well,"))),
    "four marks": ask(user([MARKED] * 4)),
    "an empty list of tools": ask(tools=[]),
}
ANTHROPIC_REFUSES = {
    "no limit of the output": {"model": "m", "messages": [user()]},
    "an unknown field": ask(frequency_penalty=1),
    "an unknown field of a block": ask(user([{**text(), "id": "x"}])),
    "a beta field without its header": ask(context_management={}),
    "a system role without its header": ask(user(), {"role": "system", "content": "x"}),
    "an assistant first": ask(assistant(text())),
    "an empty text": ask(user([text("")])),
    "a blank text": ask(user([text("  \n")])),
    "an empty message": ask(user("")),
    "a blank system text": ask(system=[text("")]),
    "a result without a call": ask(user(), assistant(text()), user([result()])),
    "a call without a result": ask(user(), assistant(use()), user()),
    "one of two results": ask(user(), assistant(use("a"), use("b")), user([result("a")])),
    "words before the results": ask(user(), assistant(use()), user([text(), result()])),
    "the same result twice": ask(user(), assistant(use()), user([result(), result()])),
    "the same call twice": ask(user(), assistant(use(), use()), user([result()])),
    "a call id with a dot": ask(user(), assistant(use("a.b")), user([result("a.b")])),
    "arguments as text": ask(user(), assistant(use(input="{}")), user([result()])),
    "a thought without a signature": ask(user(), assistant(thought(), text()), user()),
    "a thought with another's signature": ask(user(), assistant(thought("isthmus::"), text()), user()),
    "a loop that lost its thought": ask(user(), assistant(use()), user([result()]), thinking=THINKING),
    "a budget above the limit": ask(thinking={"type": "enabled", "budget_tokens": 4096}),
    "a budget below 1024": ask(thinking={"type": "enabled", "budget_tokens": 512}),
    "a temperature with thinking": ask(thinking=THINKING, temperature=0.5),
    "a forced tool with thinking": ask(thinking=THINKING, tools=[LOOK], tool_choice={"type": "any"}),
    "a temperature above one": ask(temperature=1.5),
    "five marks": ask(user([MARKED] * 5)),
    "a choice without tools": ask(tool_choice={"type": "auto"}),
    "a choice of a tool that is not there": ask(tools=[LOOK], tool_choice={"type": "tool", "name": "other"}),
    "two tools of one name": ask(tools=[LOOK, LOOK]),
    "a tool without a schema": ask(tools=[{"name": "look"}]),
    "a tool in OpenAI's dialect": ask(tools=[{"type": "custom", "function": {"name": "look"}}]),
    "an image of no known kind": ask(user([{**IMAGE, "source": {**IMAGE["source"], "media_type": "image/bmp"}}])),
    "an image in an assistant's turn": ask(user(), assistant(IMAGE), user()),
    "an image of OpenAI's": ask(user([{"type": "image_url", "image_url": {"url": "x"}}])),
    "an open schema for the output": ask(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
    "a blank stop word": ask(stop_sequences=[" "]),
    "other metadata": ask(metadata={"team": "blue"}),
    "a prefill that ends with a space": ask(user(), assistant(text("Well, "))),
}


@pytest.mark.parametrize("body", ANTHROPIC_TAKES.values(), ids=ANTHROPIC_TAKES)
def test_anthropic_takes(body: dict[str, Any]) -> None:
    anthropic_judge.judge(body)


@pytest.mark.parametrize("body", ANTHROPIC_REFUSES.values(), ids=ANTHROPIC_REFUSES)
def test_anthropic_refuses(body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        anthropic_judge.judge(body)
