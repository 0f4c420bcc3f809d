"""Requests as coding agents send them, in both dialects and three sizes.

Each says the same in either dialect: a system text, turns with tool calls and their results,
one tool, and in the largest an image. The sizes are of the body, give or take a few percent.
"""

import base64
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Dialect(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Size(StrEnum):
    """How much the conversation holds."""

    SMALL = "1.5 KB"
    MIDDLE = "100 KB"
    LARGE = "1 MB"


PATHS: Mapping[Dialect, str] = {Dialect.OPENAI: "/v1/chat/completions", Dialect.ANTHROPIC: "/v1/messages"}
_ROUNDS: Mapping[Size, int] = {Size.SMALL: 0, Size.MIDDLE: 40, Size.LARGE: 40}
_IMAGE: Mapping[Size, int] = {Size.SMALL: 0, Size.MIDDLE: 0, Size.LARGE: 690_000}

_SYSTEM = (
    "You are a careful assistant for a team that runs a small shop. Answer briefly, quote figures with their "
    "source, and say so when you do not know. Amounts are in euros unless said otherwise; dates are ISO 8601. "
    "Use the tool when an order is mentioned by its number. Never promise a date that the tool did not give, "
    "never name a price without its tax, and ask back when two orders could be meant by what was said."
)
_TALK = (
    ("user", "Hello! Which orders came in yesterday, and is “café au lait” back in stock?"),
    ("assistant", "Three came in yesterday: 1041, 1042 and 1043.\nCafé au lait is back, with 24 in stock."),
    ("user", 'Thanks. Please look up order 1042 and tell me when it leaves. The customer wrote: "as soon as you can".'),
)
_LINE = 'src/shop/orders.py:{number}: total = sum(line.price * line.count for line in order.lines)  # "net", ü\n'
_SCHEMA: Json = {
    "type": "object",
    "properties": {
        "number": {"type": "integer", "description": "The order's number, four digits."},
        "fields": {
            "type": "array",
            "items": {"type": "string", "enum": ["lines", "customer", "dates", "payment"]},
            "description": "What to return of it; everything when it is left out.",
        },
    },
    "required": ["number"],
    "additionalProperties": False,
}
_TOOL, _ABOUT = "look_up_order", "Find one order by its number, with its lines, its customer and its dates."


def request(dialect: Dialect, size: Size, model: str, *, stream: bool) -> bytes:
    """The body of one request."""
    document = (_openai if dialect is Dialect.OPENAI else _anthropic)(size)
    document = {"model": model, **document}
    if stream:
        document["stream"] = True
        if dialect is Dialect.OPENAI:
            document["stream_options"] = {"include_usage": True}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _openai(size: Size) -> Json:
    messages: list[Json] = [{"role": "system", "content": _SYSTEM}]
    messages += [{"role": role, "content": text} for role, text in _TALK[:2]]
    for number in range(_ROUNDS[size]):
        call = {"name": _TOOL, "arguments": json.dumps(_arguments(number))}
        calls = [{"id": _call_id(number), "type": "function", "function": call}]
        messages.append({"role": "user", "content": f"And order {number}?"})
        messages.append({"role": "assistant", "content": f"I look up {number}.", "tool_calls": calls})
        messages.append({"role": "tool", "tool_call_id": _call_id(number), "content": _result(number)})
        messages.append({"role": "assistant", "content": f"Order {number} leaves tomorrow."})
    content: Any = _TALK[2][1]
    if _IMAGE[size]:
        url = f"data:image/png;base64,{_image(size)}"
        content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": url}}]
    messages.append({"role": "user", "content": content})
    function = {"name": _TOOL, "description": _ABOUT, "parameters": _SCHEMA}
    tools = [{"type": "function", "function": function}]
    return {"messages": messages, "tools": tools, "temperature": 0.2, "max_completion_tokens": 1024}


def _anthropic(size: Size) -> Json:
    messages: list[Json] = [{"role": role, "content": text} for role, text in _TALK[:2]]
    for number in range(_ROUNDS[size]):
        call = {"type": "tool_use", "id": _call_id(number), "name": _TOOL, "input": _arguments(number)}
        result = {"type": "tool_result", "tool_use_id": _call_id(number), "content": _result(number)}
        messages.append({"role": "user", "content": f"And order {number}?"})
        messages.append({"role": "assistant", "content": [_text(f"I look up {number}."), call]})
        messages.append({"role": "user", "content": [result]})
        messages.append({"role": "assistant", "content": f"Order {number} leaves tomorrow."})
    content: list[Json] = [_text(_TALK[2][1])]
    if _IMAGE[size]:
        source = {"type": "base64", "media_type": "image/png", "data": _image(size)}
        content.append({"type": "image", "source": source})
    messages.append({"role": "user", "content": content})
    tools = [{"name": _TOOL, "description": _ABOUT, "input_schema": _SCHEMA}]
    return {"max_tokens": 1024, "system": _SYSTEM, "messages": messages, "tools": tools, "temperature": 0.2}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _call_id(number: int) -> str:
    return f"call_{number:08}"


def _arguments(number: int) -> Json:
    return {"number": 1000 + number, "fields": ["lines", "dates"]}


def _result(number: int) -> str:
    return "".join(_LINE.format(number=number * 100 + line) for line in range(22))


def _image(size: Size) -> str:
    """Bytes that stand for a PNG: nobody between the client and the provider looks at them."""
    block = bytes(range(256))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + block * (_IMAGE[size] // len(block))).decode()
