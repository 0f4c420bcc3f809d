"""A YAML or JSON text as plain values, where a whole number stays as it was written if that is not how it is counted.

Unlike our own file, that of another system may merge mappings (`<<`) and leave keys unquoted that are numbers.
"""

import yaml

from isthmus.config.nodes import Broken, Node, compose, place_of
from isthmus.config.problems import Path
from isthmus.wire import json

Places = dict[Path, tuple[int, int]]
"""By path, the line and the column of a key, or of an item."""
_PREFIX = "tag:yaml.org,2002:"
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Document:
    """What a text holds. `fault` is what keeps it from being read as a whole; only a file of others is refused for it,
    ours is read again, with all of its problems.
    """

    def __init__(self, text: str) -> None:
        """Raises Broken for a text that is not YAML."""
        self.places: Places = {}
        self.fault: Broken | None = None
        self.whole = self._value(_compose(text), ())

    def _value(self, node: Node | None, path: Path) -> object:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self.places.update({(*path, index): place_of(item) for index, item in enumerate(node.value)})
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return None if node is None else _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        merged: dict[str, object] = {}
        own: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in own:
                words = "a key is set twice" if isinstance(key, yaml.ScalarNode) else "this cannot be a key"
                self.fault = self.fault or Broken(place_of(key), words)
            elif key.tag == f"{_PREFIX}merge":
                for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    found = self._value(one, path)
                    merged = {**(found if isinstance(found, dict) else {}), **merged}
            else:
                self.places[(*path, key.value)] = place_of(key)
                own[key.value] = self._value(value, (*path, key.value))
        return {**merged, **own}


def _compose(text: str) -> Node | None:
    """JSON is YAML, but for escapes that YAML does not have; those are said in another way, and lines are lost."""
    try:
        return compose(text)
    except Broken:
        if not text.lstrip().startswith("{"):
            raise
        try:
            whole = json.encode(json.decode(text.encode())).decode()
        except json.Malformed:
            whole = ""
        if not whole:
            raise
        return compose(whole)


def _scalar(node: yaml.ScalarNode) -> object:
    written = str(node.value)
    match node.tag.removeprefix(_PREFIX):
        case "null":
            return None
        case "bool":
            return _FLAGS.get(written.lower(), written)
        case "int":
            return int(written) if written.lstrip("-").isdigit() and str(int(written)) == written else written
        case "float":
            return _fraction(written)
        case _:
            return written


def _fraction(written: str) -> object:
    try:
        return float(written)
    except ValueError:
        return written
