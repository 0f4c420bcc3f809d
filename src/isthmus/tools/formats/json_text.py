"""JSON, also with comments and commas too many, changed by as few characters as the change needs.

Holds a scanner that knows where each value stands. What is not changed keeps its comments, its order and its spacing.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from isthmus.tools.formats.values import CannotChange, Item, Path, Step, nested
from isthmus.wire import json

DEEPEST = 64
"""Values inside one another."""
_TRIVIA = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\r\n]|\\.)*"')
_SCALAR = re.compile(r'"(?:[^"\\\r\n]|\\.)*"|[^\s,:\[\]{}"/]+')
_BESIDE = re.compile(r"(?:[ \t]*/\*[^\r\n]*?\*/)*(?:[ \t]*//[^\r\n]*)?")
"""What follows on the same line, and belongs to what stands before it."""
_UNIT = "  "


class Node(NamedTuple):
    """One value: where it begins and ends, and what is inside an object (by name) or an array."""

    start: int
    end: int
    members: "Sequence[Member] | None" = None

    @property
    def inside(self) -> "Sequence[Member]":
        return self.members or ()


class Member(NamedTuple):
    """One value of an object, from its name's first character on, or of an array, where `name` is None."""

    start: int
    name: str | None
    node: Node


def read(text: str) -> object:
    """The values of a text with comments. None for a text without any. Raises CannotChange."""
    root = scan(text)
    return None if root is None else _value(text, root)


def read_strict(text: str) -> object:
    """The same for a program that takes no comments. Raises CannotChange."""
    if not text.strip():
        return None
    try:
        return json.decode(text.encode())
    except json.Malformed as error:
        raise CannotChange("is no JSON, and is left as it is") from error


def put(text: str, path: Path, value: object) -> str:
    """`value` at `path`; what leads to it is made. Raises CannotChange."""
    node = scan(text)
    if node is None:
        return text + _written(nested(path, value), "", _UNIT, _newline(text)) + _newline(text)
    for depth, step in enumerate(path):
        found = _find(text, node, step)
        if found is None:
            return _insert(text, node, step, nested(path[depth + 1 :], value))
        if _is_null(text, found.node):
            value = nested(path[depth + 1 :], value)
            node = found.node
            break
        node = found.node
    return (
        text[: node.start] + _written(value, _margin(text, node.start), _unit(text), _newline(text)) + text[node.end :]
    )


def drop(text: str, path: Path) -> str:
    """The text without what stands at `path`, and all else as it was. Raises CannotChange."""
    node = scan(text)
    if node is None:
        return text
    for step in path[:-1]:
        found = _find(text, node, step)
        if found is None:
            return text
        node = found.node
    gone = _find(text, node, path[-1])
    return text if gone is None else _without(text, node, gone)


def scan(text: str) -> Node | None:
    """Where everything stands; None for a text of white space and comments. Raises CannotChange."""
    start = _skip(text, 0)
    if start == len(text):
        return None
    root = _node(text, start, 0)
    if _skip(text, root.end) != len(text):
        raise CannotChange("is no JSON, and is left as it is")
    return root


def _node(text: str, at: int, depth: int) -> Node:
    if depth > DEEPEST:
        raise CannotChange("is nested too deeply, and is left as it is")
    if text[at] in "{[":
        return _container(text, at, depth)
    found = _SCALAR.match(text, at)
    if found is None:
        raise CannotChange("is no JSON, and is left as it is")
    return Node(at, found.end())


def _container(text: str, start: int, depth: int) -> Node:
    named, close = text[start] == "{", "}" if text[start] == "{" else "]"
    members: list[Member] = []
    at = _skip(text, start + 1)
    while _char(text, at) != close:
        begins, name = at, None
        if named:
            name, at = _name(text, at)
        node = _node(text, at, depth + 1)
        members.append(Member(begins, name, node))
        at = _skip(text, node.end)
        if _char(text, at) == ",":
            at = _skip(text, at + 1)
        elif _char(text, at) != close:
            raise CannotChange("is no JSON, and is left as it is")
    return Node(start, at + 1, members)


def _name(text: str, at: int) -> tuple[str, int]:
    """A name, and where its value begins."""
    found = _STRING.match(text, at)
    colon = len(text) if found is None else _skip(text, found.end())
    if found is None or _char(text, colon) != ":":
        raise CannotChange("is no JSON, and is left as it is")
    value = _skip(text, colon + 1)
    _char(text, value)
    return str(_scalar(found[0])), value


def _char(text: str, at: int) -> str:
    if at >= len(text):
        raise CannotChange("ends too early to be JSON, and is left as it is")
    return text[at]


def _skip(text: str, at: int) -> int:
    found = _TRIVIA.match(text, at)
    return at if found is None else found.end()


def _scalar(spelled: str) -> object:
    try:
        return json.decode(spelled.encode())
    except json.Malformed as error:
        raise CannotChange("is no JSON, and is left as it is") from error


def _value(text: str, node: Node) -> object:
    if node.members is None:
        return _scalar(text[node.start : node.end])
    if text[node.start] == "[":
        return [_value(text, one.node) for one in node.members]
    return {str(one.name): _value(text, one.node) for one in node.members}


def _is_null(text: str, node: Node) -> bool:
    return text[node.start : node.end] == "null"


def _find(text: str, node: Node, step: Step) -> Member | None:
    """The member that a reader takes: of several with a name the last. Of a list the item, where there is one."""
    if isinstance(step, str):
        return next((one for one in reversed(node.inside) if one.name == step), None)
    return next((one for one in node.inside if _is_item(text, one.node, step)), None)


def _is_item(text: str, node: Node, step: Item) -> bool:
    field = next((one.node for one in reversed(node.inside) if one.name == step.field), None)
    return field is not None and _value(text, field) == step.name


def _insert(text: str, node: Node, step: Step, value: object) -> str:
    """The text with one more member at the end of `node`."""
    newline, unit = _newline(text), _unit(text)
    if not node.inside:
        return _fill(text, node, step, value)
    last = node.inside[-1]
    comma = _skip(text, last.node.end)
    trailing = text[comma] == ","
    lined = "\n" in text[node.start : node.inside[0].start]
    if not lined:
        member = _member(step, value, _margin(text, node.start), unit, newline)
        return f"{text[: last.node.end]}, {member}{text[last.node.end :]}"
    margin = _margin(text, last.start)
    end = _beside(text, comma + 1 if trailing else last.node.end)
    before = text[:end] if trailing else text[: last.node.end] + "," + text[last.node.end : end]
    return f"{before}{newline}{margin}{_member(step, value, margin, unit, newline)}{',' * trailing}{text[end:]}"


def _fill(text: str, node: Node, step: Step, value: object) -> str:
    """The text with the first member of `node`, which may hold comments."""
    newline, unit, margin = _newline(text), _unit(text), _margin(text, node.start)
    kept = text[node.start + 1 : node.end - 1].rstrip()
    member = _member(step, value, margin + unit, unit, newline)
    return f"{text[: node.start + 1]}{kept}{newline}{margin}{unit}{member}{newline}{margin}{text[node.end - 1 :]}"


def _without(text: str, node: Node, gone: Member) -> str:
    """The text without a member, its comma, and its line where nothing else stands on it."""
    at, end = node.inside.index(gone), gone.node.end
    comma = _skip(text, end)
    if text[comma] == ",":
        return _closed(_cut(text, gone.start, comma + 1), node, len(text))
    rest = _cut(text, gone.start, end)
    if at == 0:
        return _closed(rest, node, len(text))
    comma = _skip(text, node.inside[at - 1].node.end)
    return rest[:comma] + rest[comma + 1 :]


def _cut(text: str, start: int, end: int) -> str:
    line, stop = text.rfind("\n", 0, start) + 1, _blanks(text, end)
    if text[line:start].strip():
        if text[stop] in "}]\r\n":
            return text[:start].rstrip(" \t") + text[end:]
        return text[:start] + text[stop:]
    if text[stop] not in "\r\n":
        return text[:start] + text[stop:]
    return text[:line] + text[text.index("\n", stop) + 1 :]


def _closed(text: str, node: Node, before: int) -> str:
    """The text with nothing between the brackets of `node` where nothing but space is left there."""
    end = node.end - (before - len(text)) - 1
    return text if text[node.start + 1 : end].strip() else text[: node.start + 1] + text[end:]


def _member(step: Step, value: object, margin: str, unit: str, newline: str) -> str:
    written = _written(value, margin, unit, newline)
    return f"{_spelled(step)}: {written}" if isinstance(step, str) else written


def _written(value: object, margin: str, unit: str, newline: str) -> str:
    """Any value, a field or an item a line."""
    inner = f"{newline}{margin}{unit}"
    if isinstance(value, Mapping) and value:
        lines = [_member(str(name), one, margin + unit, unit, newline) for name, one in value.items()]
        return f"{{{inner}{f',{inner}'.join(lines)}{newline}{margin}}}"
    if isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        lines = [_written(one, margin + unit, unit, newline) for one in value]
        return f"[{inner}{f',{inner}'.join(lines)}{newline}{margin}]"
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    return _spelled(value)


def _spelled(value: object) -> str:
    return json.encode(value).decode()


def _beside(text: str, at: int) -> int:
    found = _BESIDE.match(text, at)
    return at if found is None else found.end()


def _blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at


def _margin(text: str, at: int) -> str:
    """The white space that the line of `at` begins with."""
    line = text.rfind("\n", 0, at) + 1
    return text[line : _blanks(text, line)]


def _unit(text: str) -> str:
    """How far the text moves its outermost members in."""
    root = scan(text)
    margin = _margin(text, root.inside[0].start) if root is not None and root.inside else ""
    return margin or _UNIT


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
