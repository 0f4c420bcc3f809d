"""The judges of Gemini, Ollama and Converse take what is right, and refuse what the real ones refuse."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fakes import converse_judge, gemini_judge, ollama_judge
from fakes.wire import Refused

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
STAND_IN = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="


def text(role: str, words: str = "Hi") -> dict[str, Any]:
    return {"role": role, "parts": [{"text": words}]}


def called(signature: str | None = STAND_IN) -> dict[str, Any]:
    signed = {} if signature is None else {"thoughtSignature": signature}
    return {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, **signed}]}


def answered(*names: str) -> dict[str, Any]:
    return {"role": "user", "parts": [{"functionResponse": {"name": name, "response": {}}} for name in names]}


def gemini(**fields: Any) -> None:
    gemini_judge.judge({"contents": [text("user")], **fields}, "gemini-3-pro")


def declared(**function: Any) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": "f", **function}]}]


def ollama(**fields: Any) -> None:
    ollama_judge.judge({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields})


def said(role: str, **block: Any) -> dict[str, Any]:
    return {"role": role, "content": [block or {"text": "Hi"}]}


TOOLS = {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}}]}
USE = said("assistant", toolUse={"toolUseId": "a", "name": "f", "input": {}})
RESULT = said("user", toolResult={"toolUseId": "a", "content": [{"text": "x"}]})


def converse(**fields: Any) -> None:
    converse_judge.judge({"messages": [said("user")], **fields}, "amazon.nova-pro-v1:0")


GOOD: tuple[tuple[Callable[..., None], Mapping[str, Any]], ...] = (
    (gemini, {"contents": [text("user"), called(), answered("f")], "tools": declared(parameters=SCHEMA)}),
    (gemini, {"tools": declared(parametersJsonSchema={**SCHEMA, "$schema": "x", "additionalProperties": False})}),
    (gemini, {"system_instruction": {"parts": [{"text": "x"}]}, "generation_config": {"max_output_tokens": 5}}),
    (ollama, {"options": {"num_ctx": 1}, "format": SCHEMA, "think": True, "unknown": 1}),
    (converse, {"messages": [said("user"), USE, RESULT], "toolConfig": TOOLS}),
)
BAD: tuple[tuple[Callable[..., None], Mapping[str, Any]], ...] = (
    (gemini, {"contents": []}),
    (gemini, {"max_tokens": 5}),
    (gemini, {"generationConfig": {"maxTokens": 5}}),
    (gemini, {"generationConfig": {"responseSchema": SCHEMA}}),
    (gemini, {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}}),
    (gemini, {"tools": declared(parameters={**SCHEMA, "additionalProperties": False})}),
    (gemini, {"tools": declared(parameters={**SCHEMA, "$schema": "x"})}),
    (gemini, {"tools": declared(parameters={"type": ["string", "null"]})}),
    (gemini, {"tools": declared(parameters=SCHEMA, parametersJsonSchema=SCHEMA)}),
    (gemini, {"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}}),
    (gemini, {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}),
    (gemini, {"contents": [{"role": "user", "parts": []}]}),
    (gemini, {"contents": [text("user"), called()]}),
    (gemini, {"contents": [text("user"), called(), answered("f", "f")]}),
    (gemini, {"contents": [text("user"), called(), answered("g")]}),
    (gemini, {"contents": [text("user"), text("model"), called(), answered("f")]}),
    (gemini, {"contents": [text("user"), called(None), answered("f")]}),
    (ollama, {"model": ""}),
    (ollama, {"think": "max"}),
    (ollama, {"format": ["json"]}),
    (ollama, {"messages": [{"role": "developer", "content": "x"}]}),
    (ollama, {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}),
    (ollama, {"messages": [{"role": "user", "content": "x", "images": ["data:image/png;base64,AA=="]}]}),
    (ollama, {"messages": [{"role": "tool", "content": "x", "tool_name": "stranger"}]}),
    (converse, {"messages": []}),
    (converse, {"modelId": "m"}),
    (converse, {"max_tokens": 5}),
    (converse, {"messages": [said("assistant")]}),
    (converse, {"messages": [said("user"), said("user")]}),
    (converse, {"messages": [said("user", text=" ")]}),
    (converse, {"messages": [said("user"), USE], "toolConfig": TOOLS}),
    (converse, {"messages": [said("user"), USE, said("user")], "toolConfig": TOOLS}),
    (converse, {"messages": [said("user"), USE, RESULT]}),
    (converse, {"toolConfig": {"tools": [*TOOLS["tools"], *TOOLS["tools"]]}}),
)


@pytest.mark.parametrize(("judge", "fields"), GOOD)
def test_what_is_right_is_taken(judge: Callable[..., None], fields: Mapping[str, Any]) -> None:
    judge(**fields)


@pytest.mark.parametrize(("judge", "fields"), BAD)
def test_what_the_real_one_refuses_is_refused(judge: Callable[..., None], fields: Mapping[str, Any]) -> None:
    with pytest.raises(Refused):
        judge(**fields)
