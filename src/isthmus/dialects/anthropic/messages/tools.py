"""Tools, and whether one must be called.

A tool with a `type` other than "custom" runs at the provider: it is kept whole as Foreign.

Source: https://docs.anthropic.com/en/api/messages (tools, tool_choice).
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Tool, ToolChoice, ToolEntry, ToolMode
from isthmus.core.profile import SchemaStyle
from isthmus.core.value import Foreign
from isthmus.dialects.anthropic.messages import plain
from isthmus.dialects.anthropic.messages.marks import Block, finish, read_cache
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.dialects.anthropic.messages.schema import close_schema
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_NO_ARGUMENTS = Raw(b'{"type":"object","properties":{}}')
_NO_ARGUMENTS_AT_ALL = Raw(b'{"type":"object","properties":{},"additionalProperties":false}')
CHOICE_MODES: Mapping[str, ToolMode] = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "any": ToolMode.REQUIRED,
    "tool": ToolMode.NAMED,
}
_WORDS: Mapping[ToolMode, str] = {mode: word for word, mode in CHOICE_MODES.items()}
FORCED = (ToolMode.REQUIRED, ToolMode.NAMED)


def read_tools(body: Fields) -> tuple[ToolEntry, ...] | None:
    value = body.raw("tools")
    if value is None:
        return None
    return tuple(_read_tool(item, f"tools[{number}]") for number, item in enumerate(json.read_items(value, "tools")))


def _read_tool(body: Raw, path: str) -> ToolEntry:
    if (known := plain.read_tool(body)) is not None:
        return known
    fields = Fields(body, path)
    if fields.text("type") not in (None, "custom"):
        return Foreign(DIALECT, body)
    return Tool(
        name=fields.need("name", fields.text("name")),
        about=fields.text("description"),
        schema=fields.raw("input_schema"),
        strict=fields.flag("strict"),
        cache=read_cache(fields),
        extra=fields.rest(DIALECT),
    )


def write_tools(request: ChatRequest, pen: Pen) -> list[Block | Raw]:
    tools: list[Block | Raw] = []
    for number, tool in enumerate(request.tools or ()):
        path = f"tools[{number}]"
        if isinstance(tool, Tool):
            tools.append(_write_tool(tool, path, pen))
        elif tool.dialect == DIALECT:
            tools.append(tool.body)
        else:
            pen.losses.drop(path, f"only {tool.dialect} knows this tool")
    return tools


def _write_tool(tool: Tool, path: str, pen: Pen) -> Block:
    block: Block = {"name": tool.name}
    if tool.about is not None:
        block["description"] = tool.about
    block["input_schema"] = _write_schema(tool, path, pen)
    if tool.strict is not None:
        if tool.strict and pen.profile.schema is not SchemaStyle.NATIVE:
            pen.losses.drop(f"{path}.strict", "this model is not held to schemas")
        else:
            block["strict"] = tool.strict
    return finish(block, tool.cache, tool.extra, path=path, losses=pen.losses)


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


def read_choice(body: Fields) -> tuple[ToolChoice | None, bool | None]:
    """The choice, and whether several calls may come at once."""
    choice = body.fields("tool_choice")
    if choice is None:
        return None, None
    word = choice.need("type", choice.text("type"))
    mode = CHOICE_MODES.get(word)
    if mode is None:
        at = choice.at("type")
        raise Malformed(f"{at} must be one of {', '.join(CHOICE_MODES)}, not {word!r}", at)
    name = choice.need("name", choice.text("name")) if mode is ToolMode.NAMED else None
    single = choice.flag("disable_parallel_tool_use")
    return ToolChoice(mode, name), None if single is None else not single


def write_choice(request: ChatRequest, pen: Pen) -> Block | None:
    """None when the provider's own default says the same."""
    choice, parallel = request.tool_choice, request.parallel_tools
    if parallel is not None and not pen.profile.parallel_tools:
        pen.losses.drop("parallel_tools", "this model cannot be told whether to call several tools at once")
        parallel = None
    if choice is None:
        return {"type": "auto", "disable_parallel_tool_use": True} if parallel is False else None
    block: Block = {"type": _WORDS[choice.mode]}
    if choice.mode is ToolMode.NAMED:
        block["name"] = choice.name
    if parallel is not None and choice.mode is not ToolMode.NONE:
        block["disable_parallel_tool_use"] = not parallel
    return block
