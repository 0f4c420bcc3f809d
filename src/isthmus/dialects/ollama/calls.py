"""Tools: what may be called, and what was called.

Arguments are an object on the wire. Older servers give calls no ids: they are given ones here, which are marked, so
that the family does not see them again.

Source: https://docs.ollama.com/capabilities/tool-calling.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import Tool, ToolEntry
from isthmus.core.content import CacheMark, ToolCall
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.ollama import OLLAMA
from isthmus.dialects.ollama.extras import SAID, is_marked, keep, kept, restore, unmarked
from isthmus.dialects.ollama.metrics import invented_id
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_NO_ARGUMENTS = Raw(b'{"type":"object","properties":{}}')
"""Templates print the schema of each tool, so each tool must have one."""


def read_tools(fields: Fields) -> tuple[ToolEntry, ...] | None:
    value = fields.raw("tools")
    if value is None:
        return None
    path = fields.at("tools")
    return tuple(_read_tool(item, f"{path}[{number}]") for number, item in enumerate(json.read_items(value, path)))


def write_tools(tools: Sequence[ToolEntry], losses: Losses) -> list[dict[str, Any] | Raw]:
    written: list[dict[str, Any] | Raw] = []
    for number, tool in enumerate(tools):
        path = f"tools[{number}]"
        if isinstance(tool, Tool):
            written.append(_write_tool(tool, path, losses))
        elif tool.dialect == OLLAMA:
            written.append(tool.body)
        else:
            losses.drop(path, f"only {tool.dialect} knows this tool")
    return written


def _read_tool(item: Raw, path: str) -> ToolEntry:
    fields = Fields(item, path)
    kind, inner = fields.text("type"), fields.fields("function")
    if inner is None or kind not in ("function", None):
        return Foreign(OLLAMA, item)
    return Tool(
        name=inner.need("name", inner.text("name")),
        about=inner.text("description"),
        schema=inner.raw("parameters"),
        extra=kept(keep(fields, inner, "function")),
    )


def _write_tool(tool: Tool, path: str, losses: Losses) -> dict[str, Any]:
    inner: dict[str, Any] = {"name": tool.name}
    if tool.about is not None:
        inner["description"] = tool.about
    inner["parameters"] = _NO_ARGUMENTS if tool.schema is None else tool.schema
    if tool.strict:
        losses.drop(f"{path}.strict", "this dialect holds no tool's arguments to its schema")
    drop_mark(tool.cache, losses)
    document: dict[str, Any] = {"type": "function", "function": inner}
    restore(document, tool.extra, path, losses)
    return document


def drop_mark(mark: CacheMark | None, losses: Losses) -> None:
    """Told once for the whole request."""
    if mark is not None:
        losses.drop("cache_control", "this dialect caches by itself and has no marks for it")


def read_calls(fields: Fields, *seeds: object, first: int = 0) -> tuple[ToolCall, ...]:
    """What an assistant called. A call without an id is given one made of `seeds` and its place, from `first` on."""
    value = fields.raw("tool_calls")
    if value is None:
        return ()
    path = fields.at("tool_calls")
    items = json.read_items(value, path)
    return tuple(_read_call(item, f"{path}[{n}]", first + n, seeds) for n, item in enumerate(items))


def _read_call(item: Raw, path: str, place: int, seeds: tuple[object, ...]) -> ToolCall:
    fields = Fields(item, path)
    id_, inner = fields.text("id"), fields.need("function", fields.fields("function"))
    name, arguments = inner.text("name") or "", _read_arguments(inner.raw("arguments"))
    if (kind := fields.look("type")) is not None and bytes(kind) == b'"function"':
        fields.raw("type")
    if (index := inner.look("index")) is not None and bytes(index) == b"%d" % place:
        inner.raw("index")
    left = keep(fields, inner, "function")
    if not id_:
        left["id"] = SAID
        id_ = "call_" + invented_id(*seeds, place, name, arguments)
    return ToolCall(id_, name, arguments, extra=kept(left))


def _read_arguments(value: Raw | None) -> str:
    """The object word for word; a client that sends text in its place is taken at its word."""
    if value is None:
        return ""
    return str(json.decode(value)) if json.is_text(value) else bytes(value).decode()


def write_call(call: ToolCall, path: str, losses: Losses, *, index: int | None = None) -> dict[str, Any]:
    """One item of `tool_calls`. `index` is its place, which answers tell and requests do not."""
    inner: dict[str, Any] = {} if index is None else {"index": index}
    inner.update(name=call.name, arguments=write_arguments(call.arguments, path, losses))
    if call.signature is not None:
        losses.drop(f"{path}.signature", "a call of this dialect carries no signature")
    drop_mark(call.cache, losses)
    document: dict[str, Any] = {} if is_marked(call.extra, "id") else {"id": call.id}
    document["function"] = inner
    restore(document, unmarked(call.extra, "id"), path, losses)
    return document


def write_arguments(text: str, path: str, losses: Losses) -> Raw:
    """The object that the text is; {} for nothing, and any other text wrapped in an object."""
    if not text.strip():
        return Raw(b"{}")
    body = text.encode()
    try:
        json.read_fields(body)
    except Malformed:
        losses.rewrite(f"{path}.arguments", "arguments of this dialect are an object: the text is wrapped in one")
        return json.raw({"_raw": text})
    return Raw(body)
