"""YAML, changed by as few characters as the change needs.

PyYAML tells where each value stands; what is not changed keeps its comments, its order and its spacing. What is put
into a block is written as a block, into braces as JSON, which is YAML too.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

import yaml

from isthmus.tools.formats.values import CannotChange, Item, Path, Step, nested
from isthmus.wire import json

Node: TypeAlias = yaml.ScalarNode | yaml.SequenceNode | yaml.MappingNode
_UNIT = 2


class Found(NamedTuple):
    """A value, and where the entry that holds it begins: its name, or the dash of an item."""

    start: int
    node: Node


def read(text: str) -> object:
    """The values; None for a text without any. Raises CannotChange."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CannotChange("is no YAML, and is left as it is") from error


def put(text: str, path: Path, value: object) -> str:
    """`value` at `path`; what leads to it is made. Raises CannotChange."""
    node = _root(text)
    if node is None:
        return _on_a_line(text, len(text), _block(nested(path, value), 0))
    for depth, step in enumerate(path):
        found = _find(node, step)
        if found is None:
            return _insert(text, node, step, nested(path[depth + 1 :], value))
        node = found.node
        if _is_null(node):
            value = nested(path[depth + 1 :], value)
            break
    return _replace(text, node, value)


def drop(text: str, path: Path) -> str:
    """The text without what stands at `path`, and all else as it was. Raises CannotChange."""
    node = _root(text)
    for step in path[:-1]:
        found = None if node is None else _find(node, step)
        node = None if found is None else found.node
    gone = None if node is None else _find(node, path[-1])
    if node is None or gone is None:
        return text
    if _is_flow(node):
        return _replace(text, node, _left(read(text[node.start_mark.index : node.end_mark.index]), path[-1]))
    start = text.rfind("\n", 0, gone.start) + 1
    if text[start : gone.start].strip() not in ("", "-"):
        raise CannotChange("has several things on one line where one must go, and is left as it is")
    return text[:start] + text[_line_end(text, _content_end(gone.node)) :]


def _root(text: str) -> Node | None:
    try:
        found = cast("Node | None", yaml.compose(text, Loader=yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CannotChange("is no YAML, and is left as it is") from error
    return None if found is None or _is_null(found) else found


def _is_flow(node: Node) -> bool:
    """Does it stand in braces or brackets?"""
    return not isinstance(node, yaml.ScalarNode) and bool(node.flow_style)


def _is_null(node: Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _find(node: Node, step: Step) -> Found | None:
    """The entry that a reader takes: of several with a name the last. Of a list the item, where there is one."""
    if isinstance(step, str):
        pairs = reversed(node.value) if isinstance(node, yaml.MappingNode) else ()
        return next((Found(key.start_mark.index, one) for key, one in pairs if key.value == step), None)
    items = node.value if isinstance(node, yaml.SequenceNode) else ()
    return next((Found(one.start_mark.index, one) for one in items if _is_item(one, step)), None)


def _is_item(node: Node, step: Item) -> bool:
    field = _find(node, step.field)
    return field is not None and field.node.value == step.name


def _replace(text: str, node: Node, value: object) -> str:
    start, end = node.start_mark.index, _content_end(node)
    block = not isinstance(node, yaml.ScalarNode) and not _is_flow(node)
    apart = " " * _UNIT if block else " " * (start == end)  # a list may begin in the column of its name, a text may not
    line = "\n" if block and end and text[end - 1] == "\n" else ""
    return text[:start] + apart + _inline(value) + line + text[end:]


def _insert(text: str, node: Node, step: Step, value: object) -> str:
    """The text with one more entry at the end of `node`."""
    if _is_flow(node) or not node.value:
        said = f"{_inline(step)}: {_inline(value)}" if isinstance(step, str) else _inline(value)
        end = _content_end(_last(node)) if node.value else node.start_mark.index + 1
        return text[:end] + ", " * bool(node.value) + said + text[end:]
    column = (node.value[0][0] if isinstance(node, yaml.MappingNode) else node).start_mark.column
    lines = _block({step: value} if isinstance(step, str) else [value], column)
    return _on_a_line(text, _content_end(_last(node)), lines)


def _last(node: Node) -> Node:
    last: Node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return last


def _content_end(node: Node) -> int:
    """Where the last value inside ends: the end of a block itself is where the next thing begins."""
    if isinstance(node, yaml.ScalarNode) or _is_flow(node) or not node.value:
        end: int = node.end_mark.index
        return end
    return _content_end(_last(node))


def _line_end(text: str, at: int) -> int:
    """Where the next line begins. A text in many lines may end at one already."""
    if at and text[at - 1] == "\n":
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _on_a_line(text: str, at: int, lines: Sequence[str]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    at = _line_end(text, at)
    apart = newline if at and text[at - 1] != "\n" else ""
    return text[:at] + apart + "".join(line + newline for line in lines) + text[at:]


def _block(value: object, column: int) -> list[str]:
    """A mapping or a list as lines, an entry each, moved in by `column`."""
    margin = " " * column
    if isinstance(value, Mapping):
        lines = []
        for name, one in value.items():
            inside = _block(one, column + _UNIT) if isinstance(one, Mapping | list) and one else ()
            lines += [f"{margin}{_inline(name)}:", *inside] if inside else [f"{margin}{_inline(name)}: {_inline(one)}"]
        return lines
    if isinstance(value, list):
        return [line for one in value for line in _item(one, column)]
    return [margin + _inline(value)]


def _item(value: object, column: int) -> list[str]:
    lines = _block(value, column + _UNIT)
    return [f"{' ' * column}- {lines[0].lstrip(' ')}", *lines[1:]]


def _inline(value: object) -> str:
    """A value on one line: a text without quotes where that reads the same."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and _reads_the_same(value):
        return value
    return json.encode(value).decode()


def _reads_the_same(value: str) -> bool:
    if any(mark in value for mark in (": ", " #", ",", "[", "]", "{", "}")):
        return False
    try:
        found: object = yaml.safe_load(f"a: {value}\n")
    except (yaml.YAMLError, ValueError):
        return False
    return found == {"a": value}


def _left(settings: object, step: Step) -> object:
    if isinstance(step, str) and isinstance(settings, Mapping):
        return {name: one for name, one in settings.items() if name != step}
    if isinstance(step, Item) and isinstance(settings, list):
        return [one for one in settings if not (isinstance(one, Mapping) and one.get(step.field) == step.name)]
    return settings
