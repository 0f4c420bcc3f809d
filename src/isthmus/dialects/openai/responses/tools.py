"""Tools: functions, custom tools, namespaces of both, and which of them must be called.

Hosted tools are kept as they are, for this dialect alone. Source: the OpenAI API reference, `tools` and `tool_choice`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import Tool, ToolChoice, ToolEntry, ToolMode
from isthmus.core.losses import Losses
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.extras import Written, is_ours, keep, labels_of, restore
from isthmus.dialects.openai.responses.names import INPUT, Called, Names, flat_name
from isthmus.wire import json
from isthmus.wire.json import Fields

_MODES: Mapping[str, ToolMode] = {"auto": ToolMode.AUTO, "none": ToolMode.NONE, "required": ToolMode.REQUIRED}
_NAMED = ("function", "custom")
_YES = Raw(b"true")


def read_tools(items: Sequence[Raw], path: str) -> tuple[ToolEntry, ...]:
    """The tools in a list; a namespace's are told one by one, under flat names."""
    found: list[ToolEntry] = []
    for number, item in enumerate(items):
        found.extend(_read_entry(item, f"{path}[{number}]"))
    return tuple(found)


def _read_entry(item: Raw, path: str) -> Sequence[ToolEntry]:
    fields = Fields(item, path)
    match fields.text("type"):
        case "namespace":
            return _read_namespace(fields) or (Foreign(RESPONSES, item),)
        case "function":
            return (_read_function(fields),)
        case "custom":
            return (_read_custom(fields),)
    return (Foreign(RESPONSES, item),)


def _read_namespace(fields: Fields) -> Sequence[Tool]:
    """The tools inside, or none where one of them is of a type that only this dialect knows."""
    name = fields.need("name", fields.text("name"))
    path = fields.at("tools")
    items = json.read_items(fields.need("tools", fields.raw("tools")), path)
    inside = read_tools(items, path)
    around = json.raw({"name": name, **(left.fields if (left := fields.rest(RESPONSES)) else {})})
    known = [tool for tool in inside if isinstance(tool, Tool)]
    return [_moved(tool, name, around) for tool in known] if len(known) == len(items) else ()


def _moved(tool: Tool, namespace: str, around: Raw) -> Tool:
    extra = tool.extra or Extra(RESPONSES, {})
    labels = {"name": json.raw(tool.name), "namespace_name": json.raw(namespace), "namespace": around}
    return Tool(
        flat_name(tool.name, namespace),
        tool.about,
        tool.schema,
        tool.strict,
        extra=Extra(RESPONSES, extra.fields, {**extra.labels, **labels}),
    )


def _read_function(fields: Fields) -> Tool:
    """Functions of this dialect are strict unless told otherwise: false is what others mean by saying nothing."""
    name, about = fields.need("name", fields.text("name")), fields.text("description")
    schema, strict = fields.raw("parameters"), fields.flag("strict")
    labels = {"strict": json.NULL} if strict is None else {}
    return Tool(name, about, schema, True if strict else None, extra=keep(fields, labels))


def _read_custom(fields: Fields) -> Tool:
    """A function with one string. What the string must look like is told in words too, for who knows no grammars."""
    name, about = fields.need("name", fields.text("name")), fields.text("description")
    words = "The input, as free text."
    if (format_ := fields.look("format")) is not None:
        words += _grammar(Fields(format_, fields.at("format")))
    schema = {
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": words}},
        "required": [INPUT],
        "additionalProperties": False,
    }
    return Tool(name, about, json.raw(schema), extra=keep(fields, {"custom": _YES}))


def _grammar(format_: Fields) -> str:
    kind, syntax, definition = format_.text("type"), format_.text("syntax"), format_.text("definition")
    return f" It follows this {syntax or ''} grammar:\n{definition}" if kind == "grammar" and definition else ""


def write_tools(tools: Sequence[ToolEntry], losses: Losses) -> list[Written]:
    """The list, in which the tools of one namespace that follow each other stand inside it again."""
    written: list[Written] = []
    open_, inside = None, list[Written]()
    for number, tool in enumerate(tools):
        path = f"tools[{number}]"
        if not isinstance(tool, Tool):
            open_ = None
            if tool.dialect == RESPONSES:
                written.append(tool.body)
            else:
                losses.drop(path, f"only {tool.dialect} knows this tool")
            continue
        around = labels_of(tool.extra).get("namespace")
        if around is None:
            written.append(_write_tool(tool, path, losses))
        elif around == open_:
            inside.append(_write_tool(tool, path, losses))
        else:
            inside = [_write_tool(tool, path, losses)]
            written.append({"type": "namespace", **json.read_fields(around), "tools": inside})
        open_ = around
    return written


def _write_tool(tool: Tool, path: str, losses: Losses) -> dict[str, Any]:
    labels = labels_of(tool.extra)
    name = labels.get("name", tool.name)
    document: dict[str, Any] = {"type": "custom" if "custom" in labels else "function", "name": name}
    if tool.about is not None:
        document["description"] = tool.about
    if "custom" not in labels:
        document["parameters"] = tool.schema
        if "strict" not in labels:
            document["strict"] = bool(tool.strict)
    if tool.cache is not None:
        losses.drop("cache_control", "this dialect has no cache marks")
    restore(document, tool.extra, path, losses)
    if is_ours(tool.extra) and tool.schema is None:
        document.pop("parameters", None)
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
    kind = choice.text("type")
    if kind in _NAMED:
        name = flat_name(choice.need("name", choice.text("name")), choice.text("namespace"))
        return ToolChoice(ToolMode.NAMED, name), {}
    mode = _MODES.get(choice.text("mode") or "auto") if kind == "allowed_tools" else None
    return (None if mode is None else ToolChoice(mode)), {"tool_choice": value}


def write_choice(choice: ToolChoice, names: Names) -> str | dict[str, Any]:
    if choice.mode is not ToolMode.NAMED or choice.name is None:
        return choice.mode.value
    called = names.get(choice.name, Called(choice.name))
    document = {"type": "custom" if called.custom else "function", "name": called.name}
    return document if called.namespace is None else {**document, "namespace": called.namespace}
