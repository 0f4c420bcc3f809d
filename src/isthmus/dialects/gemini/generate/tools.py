"""Tools, and whether one must be called.

A list of tools holds objects of one field or more: `functionDeclarations` are the caller's functions, and every
other field a tool that runs at the provider, which is kept whole as Foreign.

Source: https://ai.google.dev/api/caching (Tool, FunctionDeclaration, ToolConfig).
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Tool, ToolChoice, ToolEntry, ToolMode
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import Pen, add_extra, own_fields
from isthmus.dialects.gemini.schema import adapt_schema, read_schema
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json

CALLING = "toolConfig.functionCallingConfig"
_MODES: Mapping[str, ToolMode] = {
    "AUTO": ToolMode.AUTO,
    "NONE": ToolMode.NONE,
    "ANY": ToolMode.REQUIRED,
    "VALIDATED": ToolMode.AUTO,
}
_WORDS: Mapping[ToolMode, str] = {
    ToolMode.AUTO: "AUTO",
    ToolMode.NONE: "NONE",
    ToolMode.REQUIRED: "ANY",
    ToolMode.NAMED: "ANY",
}


def read_tools(body: Camel) -> tuple[ToolEntry, ...] | None:
    items = body.each("tools")
    if items is None:
        return None
    return tuple(tool for number, item in enumerate(items) for tool in _read_entry(item, f"tools[{number}]"))


def _read_entry(item: Raw, path: str) -> Iterator[ToolEntry]:
    fields = Camel(item, path)
    functions = fields.each("functionDeclarations") or ()
    for number, function in enumerate(functions):
        yield _read_function(Camel(function, f"{path}.functionDeclarations[{number}]"))
    hosted = fields.rest(DIALECT)
    for name, value in hosted.fields.items() if hosted is not None else ():
        yield Foreign(DIALECT, json.raw({name: value}))


def _read_function(fields: Camel) -> Tool:
    name = fields.need("name", fields.text("name"))
    schema = fields.raw("parametersJsonSchema")
    if schema is None and (told := fields.raw("parameters")) is not None:
        schema = read_schema(told)
    return Tool(name, fields.text("description"), schema, extra=fields.rest(DIALECT))


def write_tools(request: ChatRequest, pen: Pen) -> list[Block | Raw]:
    """The list of tools. Functions that stand beside one another are in one object."""
    written: list[Block | Raw] = []
    group: list[Block] = []
    for number, tool in enumerate(request.tools or ()):
        path = f"tools[{number}]"
        if isinstance(tool, Tool):
            if not group:
                written.append({"functionDeclarations": group})
            group.append(_write_function(tool, path, pen))
        elif tool.dialect == DIALECT:
            written.append(tool.body)
            group = []
        else:
            pen.losses.drop(path, f"only {tool.dialect} knows this tool")
    return written


def _write_function(tool: Tool, path: str, pen: Pen) -> Block:
    function: Block = {"name": tool.name}
    if tool.about is not None:
        function["description"] = tool.about
    if tool.schema is not None:
        function["parametersJsonSchema"] = adapt_schema(tool.schema, f"{path}.schema", pen.losses)
    if tool.strict:
        pen.losses.drop(f"{path}.strict", "a tool of this dialect is not held to its schema")
    if tool.cache is not None:
        pen.losses.drop("cache_control", "the provider caches by itself")
    add_extra(function, tool.extra, path, pen.losses)
    return function


def read_choice(config: Camel | None, kept: dict[str, Raw]) -> ToolChoice | None:
    """The choice, from `toolConfig`; what more stands there is added to `kept`, by its path."""
    if config is None:
        return None
    calling = config.inner("functionCallingConfig")
    choice = None if calling is None else _read_calling(calling, kept)
    _keep(kept, "toolConfig", config.rest(DIALECT))
    return choice


def _read_calling(calling: Camel, kept: dict[str, Raw]) -> ToolChoice | None:
    mode = calling.word("mode")
    known = None if mode is None else _MODES.get(mode.upper())
    names = calling.raw("allowedFunctionNames")
    allowed: Sequence[object] = json.decode(names) if names is not None else ()
    if mode is not None and (known is None or mode == "VALIDATED"):
        kept[f"{CALLING}.mode"] = json.raw(mode)
    only = allowed[0] if isinstance(allowed, list) and len(allowed) == 1 else None
    if known is ToolMode.REQUIRED and isinstance(only, str):
        known, names = ToolMode.NAMED, None
    if names is not None:
        kept[f"{CALLING}.allowedFunctionNames"] = names
    _keep(kept, CALLING, calling.rest(DIALECT))
    if known is None:
        return None
    return ToolChoice(known, only if known is ToolMode.NAMED and isinstance(only, str) else None)


def _keep(kept: dict[str, Raw], path: str, extra: Extra | None) -> None:
    if extra is not None:
        kept.update({f"{path}.{name}": value for name, value in extra.fields.items()})


def write_choice(request: ChatRequest, pen: Pen) -> Block:
    """The `functionCallingConfig`; empty where nothing is to be said, or there is no function to call."""
    if not has_functions(request):
        return {}
    if request.parallel_tools is False:
        pen.losses.drop("parallel_tools", "this dialect cannot ask for one call at a time")
    choice = request.tool_choice
    if choice is None:
        return {}
    block: Block = {"mode": _WORDS[choice.mode]}
    if choice.mode is ToolMode.NAMED and choice.name is not None:
        block["allowedFunctionNames"] = [choice.name]
    return block


def has_functions(request: ChatRequest) -> bool:
    return any(isinstance(tool, Tool) for tool in request.tools or ())


def fitting_extra(request: ChatRequest) -> Mapping[str, Raw]:
    """The request's own leftovers, without those that the provider refuses where there is no function."""
    own = own_fields(request.extra)
    if has_functions(request):
        return own
    return {name: value for name, value in own.items() if not name.startswith(CALLING)}
