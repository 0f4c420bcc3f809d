"""Tools: what may be called, what was called, and which must be.

Source: the OpenAI API reference, "Create chat completion", `tools`, `tool_choice` and `tool_calls`;
`extra_content.google.thought_signature` is what Gemini's OpenAI endpoint adds to a call.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from msgspec import Raw

from isthmus.core.chat import Tool, ToolChoice, ToolEntry, ToolMode
from isthmus.core.content import Signature, ToolCall
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat import plain
from isthmus.dialects.openai.chat.content import Written, read_cache, write_cache
from isthmus.dialects.openai.chat.extras import keep, restore
from isthmus.wire import json
from isthmus.wire.json import Fields

LONGEST_ID = 40
"""Characters of a tool call's id; longer ones are refused by OpenAI."""

GOOGLE = "google"
"""Whose models have the signatures of their calls in `extra_content`, in answers and in the history."""

_MODES: Mapping[str, ToolMode] = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "required": ToolMode.REQUIRED,
    "any": ToolMode.REQUIRED,
}


def fitting_id(text: str) -> str:
    """The id as it is, or one made of its hash where it is too long: the same one for a call and its result."""
    return text if len(text) <= LONGEST_ID else "call_" + sha256(text.encode()).hexdigest()[:24]


def invented_id(*seeds: object) -> str:
    """An id for a call to which its host gave none; equal seeds give equal ids."""
    return "call_" + sha256(":".join(map(str, seeds)).encode()).hexdigest()[:24]


def read_tools(items: Sequence[Raw] | None, path: str) -> tuple[ToolEntry, ...] | None:
    if items is None:
        return None
    return tuple(_read_tool(item, f"{path}[{number}]") for number, item in enumerate(items))


def write_tools(tools: Sequence[ToolEntry], losses: Losses) -> list[Written]:
    written: list[Written] = []
    for number, tool in enumerate(tools):
        path = f"tools[{number}]"
        if isinstance(tool, Tool):
            written.append(_write_tool(tool, path, losses))
        elif tool.dialect == CHAT:
            written.append(tool.body)
        else:
            losses.drop(path, f"only {tool.dialect} knows this tool")
    return written


def _read_tool(item: Raw, path: str) -> ToolEntry:
    if (known := plain.read_tool(item)) is not None:
        return known
    fields = Fields(item, path)
    kind, inner = fields.text("type"), fields.fields("function")
    if inner is None or kind not in ("function", None):
        return Foreign(CHAT, item)
    return Tool(
        name=inner.need("name", inner.text("name")),
        about=inner.text("description"),
        schema=inner.raw("parameters"),
        strict=inner.flag("strict"),
        cache=read_cache(fields),
        extra=keep(fields, inner, "function"),
    )


def _write_tool(tool: Tool, path: str, losses: Losses) -> dict[str, Any]:
    inner: dict[str, Any] = {"name": tool.name}
    if tool.about is not None:
        inner["description"] = tool.about
    if tool.schema is not None:
        inner["parameters"] = tool.schema
    if tool.strict is not None:
        inner["strict"] = tool.strict
    document: dict[str, Any] = {"type": "function", "function": inner}
    if tool.cache is not None:
        document.update(write_cache(tool.cache, losses))
    restore(document, tool.extra, path, losses)
    return document


def read_choice(fields: Fields) -> tuple[ToolChoice | None, dict[str, Raw]]:
    """`tool_choice`, and the field itself where the core has no word for all that it says."""
    value = fields.raw("tool_choice")
    if value is None:
        return None, {}
    if json.is_text(value):
        mode = _MODES.get(json.decode(value))
        return (ToolChoice(mode), {}) if mode is not None else (None, {"tool_choice": value})
    choice = Fields(value, fields.at("tool_choice"))
    if (inner := choice.fields("function")) is not None:
        return ToolChoice(ToolMode.NAMED, inner.need("name", inner.text("name"))), {}
    allowed = choice.fields("allowed_tools")
    mode = _MODES.get(allowed.text("mode") or "auto") if allowed is not None else None
    return (None if mode is None else ToolChoice(mode)), {"tool_choice": value}


def write_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode is ToolMode.NAMED:
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode.value


def read_calls(fields: Fields, *seeds: object) -> tuple[ToolCall | Foreign, ...]:
    """An assistant's `tool_calls`. A call without an id is given one made of `seeds` and its place."""
    value = fields.raw("tool_calls")
    if value is None:
        return ()
    path = fields.at("tool_calls")
    items = json.read_items(value, path)
    return tuple(_read_call(item, f"{path}[{n}]", *seeds, n) for n, item in enumerate(items))


def write_calls(calls: Sequence[tuple[ToolCall | Foreign, str]], losses: Losses) -> list[Written]:
    """The list for `calls`, each with the path at which losses are told."""
    return [_write_call(call, path, losses) if isinstance(call, ToolCall) else call.body for call, path in calls]


def _read_call(item: Raw, path: str, *seeds: object) -> ToolCall | Foreign:
    fields = Fields(item, path)
    kind, inner = fields.text("type"), fields.fields("function")
    if inner is None or kind not in ("function", None):
        return Foreign(CHAT, item)
    signature = read_signature(fields)
    return ToolCall(
        id=fields.text("id") or invented_id(*seeds),
        name=inner.text("name") or "",
        arguments=_arguments(inner.raw("arguments")),
        signature=signature,
        cache=read_cache(fields),
        extra=keep(fields, inner, "function"),
    )


def _write_call(call: ToolCall, path: str, losses: Losses) -> dict[str, Any]:
    inner = {"name": call.name, "arguments": call.arguments or "{}"}
    document: dict[str, Any] = {"id": call.id, "type": "function", "function": inner}
    if call.signature is not None:
        document.update(write_signature(call.signature, path, losses))
    if call.cache is not None:
        document.update(write_cache(call.cache, losses))
    restore(document, call.extra, path, losses)
    return document


def _arguments(value: Raw | None) -> str:
    """The text in the string; a host that sends an object in its place is taken at its word."""
    if value is None:
        return ""
    return str(json.decode(value)) if json.is_text(value) else bytes(value).decode()


def read_signature(fields: Fields) -> Signature | None:
    """Gemini's thought signature on a call, where `extra_content` holds nothing else."""
    value = fields.look("extra_content")
    found = None if value is None else signature_in(json.read_fields(value, fields.at("extra_content")))
    if found is not None:
        fields.raw("extra_content")
    return found


def signature_in(content: Mapping[str, Raw]) -> Signature | None:
    """The signature in an `extra_content`, or None where it says anything else."""
    google = content.get("google")
    if len(content) != 1 or google is None:
        return None
    inner = json.decode(google)
    match inner:
        case {"thought_signature": str(value)} if len(inner) == 1:
            return Signature(GOOGLE, value)
    return None


def write_signature(signature: Signature | None, path: str, losses: Losses) -> dict[str, Any]:
    if signature is None:
        return {}
    if signature.vendor != GOOGLE:
        losses.drop(f"{path}.signature", f"a call of this dialect cannot carry a signature of {signature.vendor}")
        return {}
    return {"extra_content": {"google": {"thought_signature": signature.value}}}


def is_call(item: Foreign) -> bool:
    """Does a kept item belong into `tool_calls`? Parts of a content have no id."""
    return b'"id"' in bytes(item.body) and "id" in json.read_fields(item.body)
