"""The configuration's text without its secrets, and back again: what may be shown, edited and sent in once more.

A secret that is written out becomes `<hidden:STAMP/NUMBER>`, its quotes included; a reference to the environment is no
secret and stays. The stamp is of the rest of the text, so that a text which was read before another change is noticed.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, get_args, get_origin

import yaml
from msgspec import Struct
from msgspec.structs import fields

from isthmus.config.about import unwrap
from isthmus.config.nodes import Node, compose
from isthmus.config.schema import LIST_FORMS, LONE_FORMS, Config
from isthmus.core.secret import HIDDEN, Secret
from isthmus.core.value import Value

Where: TypeAlias = tuple[str | int, ...]
_STAMP = 8
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", re.ASCII)
_MARK = re.compile(r"<hidden:(?P<stamp>[0-9a-f]+)/(?P<number>[0-9]+)>")


class Stale(Exception):
    """A mark of a text that is not the present one, or that stands for nothing."""


class Span(Value, frozen=True):
    """Where a secret stands in the text, by character, and the text there, quotes and all.

    `where` are the keys that lead to it, with the name of an item in place of its position where it has one.
    """

    start: int
    end: int
    written: str
    where: Where
    value: str


def spans(text: str) -> tuple[Span, ...]:
    """Every secret that is written out, in the order of the text. Raises Broken for what is no YAML."""
    return tuple(span for span in _places(text) if not _REFERENCE.fullmatch(span.value))


def _places(text: str) -> tuple[Span, ...]:
    """Every secret, and every reference that stands in the place of one."""
    root = compose(text)
    if root is None:
        return ()
    starts = _line_starts(text)
    found: dict[int, Span] = {}
    for where, node in _secrets(root, Config, ()):
        start, end = (starts[mark.line] + mark.column for mark in (node.start_mark, node.end_mark))
        if node.value:
            found[start] = Span(start, end, text[start:end], where, node.value)
    return tuple(found[start] for start in sorted(found))


def mask(text: str) -> str:
    """The text with a mark in place of each secret. Raises Broken."""
    hidden = spans(text)
    stamp = _stamp(text, hidden)
    return _replaced(text, hidden, lambda number, _: f"<hidden:{stamp}/{number}>")


def recall(text: str, present: str) -> str:
    """The text with what stands there at present wherever it has HIDDEN for a secret. Raises Stale, or Broken."""
    known = {span.where: span.written for span in _places(present)}
    hidden = tuple(span for span in spans(text) if span.value == HIDDEN)
    lost = [span for span in hidden if span.where not in known]
    if lost:
        raise Stale(f"a secret that is hidden stands where there is none: {'.'.join(map(str, lost[0].where))}")
    return _replaced(text, hidden, lambda number, _: known[hidden[number - 1].where])


def mask_beside(text: str, other: str) -> str:
    """The text with its secrets hidden, for comparing it with `other`: one that stands there is told from a new one."""
    known = {span.written: number for number, span in enumerate(spans(other), 1)}
    return _replaced(text, spans(text), lambda _, written: f"<hidden {known.get(written, 'new')}>")


def unmask(text: str, present: str) -> str:
    """The text with what its marks stand for in `present`. Raises Stale, or Broken where either is no YAML.

    A mark stands for something in the place of a secret alone: anywhere else it would be shown to whoever sent it.
    """
    if not _MARK.search(text):
        return text
    hidden, marked = spans(present), tuple(span for span in spans(text) if _MARK.fullmatch(span.value))
    if len(_MARK.findall(text)) > len(marked):
        raise Stale("a mark of a hidden secret stands where no secret does")
    stamp = _stamp(present, hidden)

    def restore(number: int, _: str) -> str:
        mark = _MARK.fullmatch(marked[number - 1].value)
        known = int(mark["number"]) if mark is not None and mark["stamp"] == stamp else 0
        if not 1 <= known <= len(hidden):
            raise Stale("the file has changed since this text was read; read it again")
        return hidden[known - 1].written

    return _replaced(text, marked, restore)


def shown(value: object) -> object:
    """A configuration as plain lists and mappings, with its secrets hidden."""
    if isinstance(value, Secret):
        return HIDDEN
    if isinstance(value, Struct):
        return {field.encode_name: shown(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): shown(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    return value


def _secrets(node: Node, hint: object, where: Where) -> Iterator[tuple[Where, yaml.ScalarNode]]:
    """The scalars that the schema takes for secrets, wherever they stand below `node`."""
    kind, _ = unwrap(hint)
    if kind is Secret:
        if isinstance(node, yaml.ScalarNode):
            yield where, node
    elif get_origin(kind) is tuple:
        for index, item in enumerate(node.value if isinstance(node, yaml.SequenceNode) else ()):
            yield from _secrets(item, get_args(kind)[0], (*where, _name_of(item) or index))
    elif get_origin(kind) is Mapping:
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            yield from _secrets(value, get_args(kind)[1], (*where, key.value))
    elif isinstance(kind, type) and issubclass(kind, Struct):
        yield from _inside(node, kind, where)


def _inside(node: Node, kind: type[Struct], where: Where) -> Iterator[tuple[Where, yaml.ScalarNode]]:
    known = {field.encode_name: field.type for field in fields(kind)}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in known:
                yield from _secrets(value, known[key.value], (*where, key.value))
        return
    name = (LIST_FORMS if isinstance(node, yaml.SequenceNode) else LONE_FORMS).get(kind)
    if name is not None:
        yield from _secrets(node, known[name], (*where, name))


def _name_of(item: Node) -> str:
    """What an item of a list is called, "" where it has no name."""
    pairs = item.value if isinstance(item, yaml.MappingNode) else ()
    return next((str(value.value) for key, value in pairs if key.value == "name"), "")


def _stamp(text: str, hidden: tuple[Span, ...]) -> str:
    rest = _replaced(text, hidden, lambda number, _: f"<{number}>")
    return hashlib.sha256(rest.encode()).hexdigest()[:_STAMP]


def _replaced(text: str, hidden: tuple[Span, ...], write: Callable[[int, str], str]) -> str:
    pieces, at = [], 0
    for number, span in enumerate(hidden, 1):
        pieces += [text[at : span.start], write(number, span.written)]
        at = span.end
    return "".join([*pieces, text[at:]])


def _line_starts(text: str) -> list[int]:
    """Where each line begins, as YAML counts lines."""
    return [0, *(found.end() for found in re.finditer("\r\n|[\r\n\x85\u2028\u2029]", text))]
