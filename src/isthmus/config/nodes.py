"""A YAML text as nodes that know their line and column.

Refuses what a configuration has no use for: more than one document, tags, nesting without end,
and aliases that repeat themselves into more than the text says.
"""

from collections.abc import Iterator
from typing import TypeAlias, cast

import yaml

from isthmus.config.problems import Problem

Node: TypeAlias = yaml.ScalarNode | yaml.SequenceNode | yaml.MappingNode
Place: TypeAlias = tuple[int, int]

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of one file."""
MAX_DEPTH = 32
"""Lists and mappings inside one another."""
MAX_NODES = 100_000
"""Values in one file, those behind aliases counted each time they are used."""

_OPENS = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSES = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


class Broken(Exception):
    """The text is not YAML, or more of it than a configuration may be."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(*place, "", message)


def compose(text: str) -> Node | None:
    """The text's only document; None when it is empty. Raises Broken."""
    try:
        _scan(text)
        root = cast("Node | None", yaml.compose(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Broken(place, f"not valid YAML: {error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        raise Broken(_place_of(text, error.position), "not valid YAML: a control character") from error
    if root is not None:
        _weigh(root, {}, set())
    return root


def place_of(node: Node) -> Place:
    """Where the node begins, counted from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def children(node: Node) -> Iterator[Node]:
    """The nodes directly inside, keys as well as values."""
    for item in node.value if not isinstance(node, yaml.ScalarNode) else ():
        if isinstance(item, tuple):
            yield from item
        else:
            yield item


def _scan(text: str) -> None:
    """Look at the events one by one, before anything is built of them."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        documents += isinstance(event, yaml.DocumentStartEvent)
        reason = _refusal(event, depth, documents, count)
        if reason and event.start_mark:
            raise Broken((event.start_mark.line + 1, event.start_mark.column + 1), reason)


def _refusal(event: yaml.Event, depth: int, documents: int, count: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"nested more than {MAX_DEPTH} deep"
    if documents > 1:
        return "a second document begins here (---); a configuration is one document"
    if getattr(event, "tag", None) is not None:
        return "tags (!name) mean nothing here; write the value without one"
    return f"more than {MAX_NODES} values" if count > 2 * MAX_NODES else None


def _weigh(node: Node, known: dict[int, int], above: set[int]) -> int:
    """How many values the node stands for once its aliases are followed."""
    if id(node) in above:
        raise Broken(place_of(node), "an alias inside of what it stands for")
    if (weight := known.get(id(node))) is None:
        above.add(id(node))
        weight = 1 + sum(_weigh(child, known, above) for child in children(node))
        above.remove(id(node))
        known[id(node)] = weight
    if weight > MAX_NODES:
        raise Broken(place_of(node), f"stands for more than {MAX_NODES} values once its aliases are followed")
    return weight


def _place_of(text: str, position: int) -> Place:
    before = text.encode()[:position].decode(errors="replace")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
