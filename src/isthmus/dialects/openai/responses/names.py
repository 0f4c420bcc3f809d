"""Callables with more to their name than a function's: custom tools, and those inside a namespace.

Elsewhere a namespace's tool is known by one flat name, and a custom tool is a function with one string, `input`.
Source: the OpenAI API reference, `tools` of type `namespace` and `custom`.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from msgspec import Raw

from isthmus.core.chat import Tool, ToolEntry
from isthmus.core.value import Value
from isthmus.dialects.openai.responses.extras import labels_of
from isthmus.wire import json
from isthmus.wire.json import Malformed

LONGEST_NAME = 64
LONGEST_ID = 64
"""Characters of a tool's name, and of a call's id; longer ones are refused by OpenAI."""
INPUT = "input"
"""The one argument of a custom tool."""


class Called(Value, frozen=True):
    """What a call of this dialect says in place of the flat name."""

    name: str
    namespace: str | None = None
    custom: bool = False


Names = Mapping[str, Called]


def flat_name(name: str, namespace: str | None) -> str:
    """The name outside the namespace. A tool that was found by a search has its own name for a namespace."""
    if namespace is None or namespace == name:
        return name
    flat = f"{namespace}{name}" if namespace.endswith("__") else f"{namespace}__{name}"
    return flat if len(flat) <= LONGEST_NAME else f"{flat[:51]}_{sha256(flat.encode()).hexdigest()[:12]}"


def names_in(tools: Iterable[ToolEntry]) -> Names:
    """By flat name, the tools that are not called as functions of that name."""
    found: dict[str, Called] = {}
    for tool in tools:
        if isinstance(tool, Tool) and (labels := labels_of(tool.extra)):
            name, namespace = _text(labels.get("name")), _text(labels.get("namespace_name"))
            custom = "custom" in labels
            if custom or namespace is not None:
                found[tool.name] = Called(name or tool.name, namespace, custom)
    return found


def _text(value: Raw | None) -> str | None:
    return None if value is None else str(json.decode(value))


def fitting_id(text: str) -> str:
    """The id as it is, or one made of its hash where it is too long: the same one for a call and its result."""
    return text if len(text) <= LONGEST_ID else "call_" + sha256(text.encode()).hexdigest()[:24]


def item_id(prefix: str, *seeds: object) -> str:
    """An id for an item to which nobody gave one; equal seeds give equal ids."""
    return f"{prefix}_{sha256(':'.join(map(str, seeds)).encode()).hexdigest()[:32]}"


def wrap_input(text: str) -> str:
    """A custom tool's input as a function's arguments."""
    return json.encode({INPUT: text}).decode()


def unwrap_input(arguments: str) -> str | None:
    """The input in a function's arguments, or None where they are anything else."""
    try:
        found = json.decode(arguments.encode())
    except Malformed:
        return None
    match found:
        case {"input": str(text)} if len(found) == 1:
            return text
    return None
