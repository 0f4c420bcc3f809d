"""One request to POST /api/chat, read and written.

Source: https://docs.ollama.com/api/chat.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.core.chat import ChatRequest, ToolMode
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.ollama import GENERATE
from isthmus.dialects.ollama.asked import invalid
from isthmus.dialects.ollama.calls import read_tools, write_tools
from isthmus.dialects.ollama.chat.messages import read_messages, write_messages
from isthmus.dialects.ollama.extras import fields_of, keep, kept, restore
from isthmus.dialects.ollama.settings import read_settings, write_settings
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_OF_PROMPTS = frozenset({"system", "template", "context", "suffix", "images", "raw"})


def read_request(body: bytes) -> ChatRequest:
    """The request in `body`. One without messages only asks for the model to be loaded. Raises INVALID."""
    try:
        return _read(json.document(body))
    except Malformed as error:
        raise invalid(error) from error


def _read(fields: Fields) -> ChatRequest:
    model = fields.need("model", fields.text("model"))
    value = fields.raw("messages")
    turns = () if value is None else read_messages(json.read_items(value, "messages"))
    tools, settings = read_tools(fields), read_settings(fields)
    return ChatRequest(
        model=model,
        messages=turns,
        tools=tools,
        sampling=settings.sampling,
        max_output=settings.max_output,
        reasoning=settings.reasoning,
        output=settings.output,
        stream=settings.stream,
        extra=kept({**settings.left, **keep(fields, settings.options, "options")}),
    )


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a model that is as `profile` says. What it cannot be told is noted in `losses`."""
    document: dict[str, Any] = {
        "model": request.model,
        "messages": write_messages(request.messages, profile, losses),
        **_write_tool_use(request, losses),
        **write_settings(request, profile, losses),
    }
    restore(document, _sayable(request.extra, losses), "", losses)
    return json.encode(document)


def _sayable(extra: Extra | None, losses: Losses) -> Extra | None:
    """The leftovers without those that only a prompt has."""
    left = fields_of(extra)
    odd = {name: value for name, value in left.items() if name in _OF_PROMPTS}
    if not odd:
        return extra
    losses.drop_extra(Extra(GENERATE, odd), "")
    return kept({name: value for name, value in left.items() if name not in odd})


def _write_tool_use(request: ChatRequest, losses: Losses) -> Mapping[str, Any]:
    """The tools. Whether one is called is the model's choice, but none is where it is offered none."""
    if not request.tools:
        return {}
    mode = None if request.tool_choice is None else request.tool_choice.mode
    if mode is ToolMode.NONE:
        losses.emulate("tool_choice", "this dialect cannot forbid tools: they are left out")
        return {}
    if mode in (ToolMode.REQUIRED, ToolMode.NAMED):
        losses.drop("tool_choice", "this dialect cannot make a model call a tool")
    if request.parallel_tools is False:
        losses.drop("parallel_tools", "this dialect cannot keep a model from calling several tools at once")
    tools = write_tools(request.tools, losses)
    return {"tools": tools} if tools else {}
