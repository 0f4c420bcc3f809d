"""From nodes to the schema's values, by the types that the schema declares.

Every problem is noted with its place and reading goes on, so that one run finds them all. A value that could
not be read is left out. Values are read from their text, however it is quoted, once its variables are filled in;
what is empty is not said.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, get_args, get_origin

import yaml
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from isthmus.config.about import About, unwrap
from isthmus.config.nodes import Node, Place, place_of
from isthmus.config.problems import Path, Problem, clip, nearest, write_path
from isthmus.config.scalars import expected, read_scalar
from isthmus.config.schema import LIST_FORMS, LONE_FORMS, ONE_OR_MANY, SHORT_FORMS, Config
from isthmus.config.secrets import Environment, fill

UNREAD: Final = object()
"""In place of a value that was not said or could not be read."""
START: Place = (1, 1)
_NULL = "tag:yaml.org,2002:null"


class Reading:
    """One document being read. `keys` and `values` are the places of both, by path."""

    def __init__(self, environment: Environment) -> None:
        self.problems: list[Problem] = []
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.filled: set[Path] = set()
        self._kept: dict[Path, list[int]] = {}
        self._environment = environment

    def note(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Something is wrong with the value at `path`, or with its key."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        place = first.get(path) or second.get(path) or (self._place_above(path) if path else START)
        self.problems.append(Problem(*place, write_path(path), message))

    def quote(self, path: Path, name: str) -> str:
        """The name at `path` in quotes; not where it came from a variable, which may hold anything."""
        return "what the variable holds" if path in self.filled else f"'{clip(name)}'"

    def item(self, path: Path, position: int) -> Path:
        """Where in the file the item stands that is at `position` of the list that was read at `path`."""
        kept = self._kept.get(path, [])
        return (*path, kept[position] if position < len(kept) else position)

    def forget(self, key: str) -> None:
        """The section `key` is not what the file says: it has no places."""
        for places in (self.keys, self.values, self._kept):
            for path in [path for path in places if path[:1] == (key,)]:
                del places[path]

    def config(self, root: Node | None) -> Config:
        """The whole document. What could not be read is at its default, and noted."""
        read = UNREAD if root is None else self.read(root, Config, ())
        return read if isinstance(read, Config) else Config()

    def read(self, node: Node, hint: object, path: Path) -> object:
        """The value of the type `hint` that the node holds, or UNREAD."""
        self.values[path] = place_of(node)
        kind, about = unwrap(hint)
        if get_origin(kind) is tuple:
            return self._list(node, get_args(kind)[0], path)
        if get_origin(kind) is Mapping:
            return self._mapping(node, get_args(kind)[1], path)
        if issubclass(kind, Struct):
            return self._record(node, kind, path)
        return self._scalar(node, kind, about, path)

    def _record(self, node: Node, kind: type[Struct], path: Path) -> object:
        known = {field.encode_name: field for field in fields(kind)}
        if (name := _stands_for(node, kind)) is not None:
            only = self.read(node, known[name].type, path)
            return UNREAD if only is UNREAD else kind(**{name: only})
        if isinstance(node, yaml.ScalarNode) and not _says_nothing(node):
            return self._short(node, kind, path)
        read: dict[str, object] = {}
        for name, value in self._items(node, path):
            if (field := known.get(name)) is None:
                self.note((*path, name), _unknown(name, known), at_key=True)
            elif (found := self.read(value, field.type, (*path, name))) is not UNREAD:
                read[field.name] = found
        absent = [field for field in known.values() if _required(field) and field.name not in read]
        for field in absent:
            if (*path, field.encode_name) not in self.values:
                self.note(path, f"needs '{field.encode_name}'")
        return UNREAD if absent else kind(**read)

    def _short(self, node: yaml.ScalarNode, kind: type[Struct], path: Path) -> object:
        if (write := SHORT_FORMS.get(kind)) is None:
            self.note(path, "must be a mapping, not a single value")
            return UNREAD
        text = self._text(node, path)
        return UNREAD if text is None else self._convert(write, text, path)

    def _mapping(self, node: Node, hint: object, path: Path) -> object:
        read = {name: self._item(value, hint, (*path, name)) for name, value in self._items(node, path)}
        return MappingProxyType({name: value for name, value in read.items() if value is not UNREAD})

    def _list(self, node: Node, hint: object, path: Path) -> object:
        if _says_nothing(node):
            return UNREAD
        alone = hint in ONE_OR_MANY
        if alone and isinstance(node, yaml.MappingNode):
            only = self._item(node, hint, path)
            return UNREAD if only is UNREAD else (only,)
        if not isinstance(node, yaml.SequenceNode):
            self.note(path, f"must be {'a mapping or ' * alone}a list, not {_kind_of(node)}")
            return UNREAD
        read = [self._item(item, hint, (*path, index)) for index, item in enumerate(node.value)]
        self._kept[path] = [index for index, value in enumerate(read) if value is not UNREAD]
        return tuple(value for value in read if value is not UNREAD)

    def _item(self, node: Node, hint: object, path: Path) -> object:
        """One of many, which has no default to fall back on."""
        before = len(self.problems)
        value = self.read(node, hint, path)
        if value is UNREAD and len(self.problems) == before:
            self.note(path, "is empty")
        return value

    def _items(self, node: Node, path: Path) -> list[tuple[str, Node]]:
        if _says_nothing(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            self.note(path, f"must be a mapping, not {_kind_of(node)}")
            return []
        found: dict[str, Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(*place_of(key), write_path(path), f"{_kind_of(key)} cannot be a key"))
                continue
            at = (*path, key.value)
            if at in self.keys:
                message = f"is set twice; the first is on line {self.keys[at][0]}"
                self.problems.append(Problem(*place_of(key), write_path(at), message))
            else:
                self.keys[at] = place_of(key)
                found[key.value] = value
        return list(found.items())

    def _scalar(self, node: Node, kind: type, about: About | None, path: Path) -> object:
        if not isinstance(node, yaml.ScalarNode):
            self.note(path, f"must be {expected(kind, about)}, not {_kind_of(node)}")
            return UNREAD
        text = self._text(node, path)
        if text is None:
            return UNREAD
        return self._convert(lambda said: read_scalar(said, kind, about), text, path)

    def _text(self, node: yaml.ScalarNode, path: Path) -> str | None:
        """The node's text with its variables filled in; None when that is nothing."""
        if _says_nothing(node):
            return None
        filled = fill(node.value, self._environment)
        if filled.changed:
            self.filled.add(path)
        for name in filled.missing:
            self.note(path, f"the variable {clip(name)} is not set; set it, or write ${{{clip(name)}:-default}}")
        if filled.broken:
            self.note(path, "'${' begins no variable; write ${NAME} or ${NAME:-default}, or $${ for the two characters")
        return None if filled.missing or filled.broken else filled.text or None

    def _convert(self, read: Callable[[str], object], text: str, path: Path) -> object:
        try:
            return read(text)
        except ValueError as error:
            self.note(path, str(error))
            return UNREAD

    def _place_above(self, path: Path) -> Place:
        while path:
            path = path[:-1]
            if place := self.keys.get(path) or self.values.get(path):
                return place
        return START


def _stands_for(node: Node, kind: type[Struct]) -> str | None:
    """The one key of `kind` that the node is the value of, where it is written in place of a mapping."""
    if isinstance(node, yaml.SequenceNode):
        return LIST_FORMS.get(kind)
    return LONE_FORMS.get(kind) if isinstance(node, yaml.ScalarNode) and not _says_nothing(node) else None


def _unknown(name: str, known: Iterable[str]) -> str:
    if name == "<<":
        return "merging mappings (<<) means nothing here; write the keys out"
    return "is not a key" + nearest(name, known)


def _required(field: FieldInfo) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def _says_nothing(node: Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and (node.tag == _NULL or not node.value)


def _kind_of(node: Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
