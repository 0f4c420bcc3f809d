"""What an Ollama server refuses, and what a script may know of a request that it takes.

Ollama reads leniently: unknown fields pass. What it refuses is a value of another type than its own.
Sources: docs.ollama.com/api/chat, github.com/ollama/ollama, `api/types.go` (types of fields), `server/routes.go`.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from fakes.scripts import Conversation, digest
from fakes.wire import Refused

ROLES = ("system", "user", "assistant", "tool")
GIVEN: dict[tuple[str, str], str] = {}
"""The scripts' ids of calls by name and arguments: the wire has none."""


def judge(body: Mapping[str, Any]) -> None:
    """Raises Refused for what would be answered with 400."""
    if not body.get("model"):
        raise Refused("model is required")
    if not isinstance(body.get("options", {}), dict):
        raise Refused("json: cannot unmarshal into Go struct field ChatRequest.options of type map[string]interface {}")
    _format(body.get("format"))
    if body.get("think") not in (None, True, False, "high", "medium", "low"):
        raise Refused(f'invalid think value: {body["think"]!r} (must be "high", "medium", "low", true, or false)')
    for tool in body.get("tools") or ():
        _tool(tool)
    for message in body.get("messages") or ():
        _message(message)
    _pairs(body.get("messages") or ())


def _format(wanted: Any) -> None:
    if wanted not in (None, "", "json") and not isinstance(wanted, dict):
        raise Refused(f'invalid format: {wanted!r}; expected "json" or a valid JSON Schema object')


def _tool(tool: Mapping[str, Any]) -> None:
    function = tool.get("function")
    if not isinstance(function, dict) or not function.get("name"):
        raise Refused("json: cannot unmarshal into Go struct field ChatRequest.tools")
    parameters = function.get("parameters") or {}
    for name, kind in (("type", str), ("required", list), ("properties", dict)):
        if not isinstance(parameters.get(name, kind()), kind):
            raise Refused(f"json: cannot unmarshal into Go struct field ToolFunctionParameters.parameters.{name}")


def _message(message: Mapping[str, Any]) -> None:
    if message.get("role") not in ROLES:
        raise Refused(f"invalid role {message.get('role')!r}")
    for name in ("content", "thinking", "tool_name"):
        if not isinstance(message.get(name, ""), str):
            raise Refused(
                f"json: cannot unmarshal array into Go struct field ChatRequest.messages.{name} of type string"
            )
    for call in message.get("tool_calls") or ():
        if not isinstance(call["function"].get("arguments", {}), dict):
            raise Refused("json: cannot unmarshal string into Go struct field ToolCallFunction.arguments")
    for image in message.get("images") or ():
        try:
            base64.b64decode(image, validate=True)
        except binascii.Error as error:
            raise Refused("illegal base64 data at input byte 0") from error


def _pairs(messages: Any) -> None:
    """Results are matched by name and order, so an unknown name is a fault of whoever wrote it."""
    called: list[str] = []
    for message in messages:
        if message["role"] == "assistant":
            called = [call["function"]["name"] for call in message.get("tool_calls") or ()]
        if message["role"] == "tool" and message.get("tool_name") not in (*called, None):
            raise Refused(f"a result of {message['tool_name']!r}, which was not called")


def as_chat(body: Mapping[str, Any]) -> dict[str, Any]:
    """A request to continue a prompt, as one to chat."""
    if "messages" in body or "tools" in body:
        raise Refused("this is for prompts")
    if not isinstance(body.get("prompt", ""), str):
        raise Refused("json: cannot unmarshal into Go struct field GenerateRequest.prompt of type string")
    said = {"role": "user", "content": body.get("prompt", ""), "images": body.get("images") or []}
    system = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    rest = {name: value for name, value in body.items() if name not in ("prompt", "images", "system")}
    return {**rest, "messages": [*system, said]}


def converse(body: Mapping[str, Any]) -> Conversation:
    """The request as a script sees it."""
    messages = body.get("messages") or []
    calls: list[str] = []
    results: dict[str, str] = {}
    for message in messages:
        if message["role"] == "assistant":
            calls = [_id(call["function"]) for call in message.get("tool_calls") or ()]
            results = {}
        elif message["role"] == "tool" and calls:
            results[calls.pop(0)] = message["content"]
    users = [message for message in messages if message["role"] == "user"]
    return Conversation(
        model=body["model"],
        stream=body.get("stream", True),
        body=body,
        said=users[-1]["content"] if users else "",
        system="\n".join(message["content"] for message in messages if message["role"] == "system"),
        results=results,
        rounds=sum(1 for message in messages if message.get("tool_calls")),
        media=tuple(_picture(image) for message in messages for image in message.get("images") or ()),
        schema=body.get("format") if isinstance(body.get("format"), dict) else None,
        thoughts=sum(1 for message in messages if message.get("thinking")),
        dialect="ollama",
    )


def canonical(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True)


def _id(function: Mapping[str, Any]) -> str:
    return GIVEN.get((function["name"], canonical(function.get("arguments") or {})), function["name"])


def _picture(image: str) -> str:
    data = base64.b64decode(image)
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return f"{kind}:{digest(data)}"
