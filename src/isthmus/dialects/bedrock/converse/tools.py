"""Tools, and whether one must be called.

A tool that runs at the provider (`systemTool`) and a cache point in front of all tools are kept whole as Foreign.
Converse cannot forbid calls: without calls in the history the tools are left out, else they stay and the ledger
tells it. A history with calls must name its tools, so where the caller names none they are made up.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html.
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Tool, ToolChoice, ToolEntry, ToolMode
from isthmus.core.profile import SchemaStyle
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse.marks import Block, add_extra, mark_last, read_point, write_point
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.converse.schema import close_schema
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_NO_ARGUMENTS = Raw(b'{"type":"object","properties":{}}')
_NO_ARGUMENTS_AT_ALL = Raw(b'{"type":"object","properties":{},"additionalProperties":false}')
_CHOICES: Mapping[str, ToolMode] = {"auto": ToolMode.AUTO, "any": ToolMode.REQUIRED, "tool": ToolMode.NAMED}
_WORDS: Mapping[ToolMode, str] = {mode: word for word, mode in _CHOICES.items()}


def read_tools(config: Fields) -> tuple[ToolEntry, ...] | None:
    value = config.raw("tools")
    if value is None:
        return None
    at = config.at("tools")
    tools: list[ToolEntry] = []
    for number, item in enumerate(json.read_items(value, at)):
        entry = Fields(item, f"{at}[{number}]")
        mark = read_point(entry)
        if mark is None:
            tools.append(_read_tool(entry, item))
        elif not mark_last(tools, mark):
            tools.append(Foreign(DIALECT, item))
    return tuple(tools)


def _read_tool(entry: Fields, body: Raw) -> ToolEntry:
    spec = entry.fields("toolSpec")
    if spec is None:
        return Foreign(DIALECT, body)
    schema = spec.fields("inputSchema")
    return Tool(
        name=spec.need("name", spec.text("name")),
        about=spec.text("description"),
        schema=None if schema is None else schema.raw("json"),
        strict=spec.flag("strict"),
        extra=spec.rest(DIALECT),
    )


def read_choice(config: Fields) -> ToolChoice | None:
    """A kind of choice that is not known stays unclaimed, and so in the rest of `config`."""
    value = config.look("toolChoice")
    if value is None:
        return None
    choice = Fields(value, config.at("toolChoice"))
    word = next((word for word in _CHOICES if choice.look(word) is not None), None)
    if word is None:
        return None
    config.raw("toolChoice")
    named = choice.fields(word) if word == "tool" else None
    return ToolChoice(_CHOICES[word], None if named is None else named.need("name", named.text("name")))


def write_tools(request: ChatRequest, called: Sequence[str], pen: Pen) -> Block:
    """`toolConfig`; empty where there is nothing to tell. `called` names the tools that the history calls."""
    if request.tools and request.tool_choice == ToolChoice(ToolMode.NONE) and not called:
        pen.losses.emulate("tool_choice", "this dialect cannot forbid calls: the tools are left out")
        return {}
    tools = _write_entries(request, pen)
    if not tools and not called:
        return {}
    if not tools:
        pen.losses.emulate("tools", "a history with calls must name its tools: they are made up from the calls")
        return {"tools": [_write_spec(Tool(name), "tools", pen) for name in called]}
    config: Block = {"tools": tools}
    if (choice := _write_choice(request.tool_choice, pen)) is not None:
        config["toolChoice"] = choice
    return config


def _write_entries(request: ChatRequest, pen: Pen) -> list[Block | Raw]:
    entries: list[Block | Raw] = []
    for number, tool in enumerate(request.tools or ()):
        path = f"tools[{number}]"
        if isinstance(tool, Foreign):
            if tool.dialect == DIALECT:
                entries.append(tool.body)
            else:
                pen.losses.drop(path, f"only {tool.dialect} knows this tool")
            continue
        entries.append(_write_spec(tool, path, pen))
        if tool.cache is not None and _takes_mark(path, pen):
            entries.append(write_point(tool.cache))
    return entries


def _takes_mark(path: str, pen: Pen) -> bool:
    """Only Claude's tools are cached."""
    if pen.profile.maker == CLAUDE:
        return pen.takes_marks(path)
    pen.losses.drop(f"{path}.cache", "this model takes no cache mark on a tool")
    return False


def _write_spec(tool: Tool, path: str, pen: Pen) -> Block:
    spec: Block = {"name": tool.name}
    if tool.about:
        spec["description"] = tool.about
    spec["inputSchema"] = {"json": _write_schema(tool, path, pen)}
    if tool.strict is not None:
        if tool.strict and pen.profile.schema is not SchemaStyle.NATIVE:
            pen.losses.drop(f"{path}.strict", "this model is not held to schemas")
        else:
            spec["strict"] = tool.strict
    add_extra(spec, tool.extra, path, pen.losses)
    return {"toolSpec": spec}


def _write_schema(tool: Tool, path: str, pen: Pen) -> Raw:
    """The schema word for word, unless the provider would refuse it."""
    strict = tool.strict and pen.profile.schema is SchemaStyle.NATIVE
    if tool.schema is None:
        return _NO_ARGUMENTS_AT_ALL if strict else _NO_ARGUMENTS
    schema = _as_object(tool.schema, f"{path}.schema", pen)
    return close_schema(schema, f"{path}.schema", pen.losses) if strict else schema


def _as_object(schema: Raw, path: str, pen: Pen) -> Raw:
    try:
        fields = json.read_fields(schema)
    except Malformed:
        pen.losses.rewrite(path, "the schema of a tool's arguments is an object")
        return _NO_ARGUMENTS
    if "type" in fields:
        return schema
    return json.raw({"type": "object", **fields}) if fields else _NO_ARGUMENTS


def _write_choice(choice: ToolChoice | None, pen: Pen) -> Block | None:
    if choice is None:
        return None
    if choice.mode is ToolMode.NONE:
        pen.losses.drop("tool_choice", "this dialect cannot forbid calls, and the history needs its tools")
        return None
    return {_WORDS[choice.mode]: {} if choice.name is None else {"name": choice.name}}
