"""Setting single values in the text of a configuration, so that its comments and its order survive."""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from isthmus.config.problems import Path, write_path

_WIDTH = 4096
"""Characters of a line that is broken when it is written: none that people write."""


class CannotEdit(Exception):
    """A path leads nowhere. Says where it ends."""


def edit(text: str, changes: Mapping[Path, object]) -> str:
    """The text with each value set at its path, None to take one away. What is missing on the way is made.

    A position in a list may be its length, which adds an item. Raises CannotEdit.
    """
    yaml = _yaml()
    try:
        root = yaml.load(text)
    except YAMLError as error:
        raise CannotEdit("the file is not valid YAML; mend it first") from error
    root = CommentedMap() if root is None else root
    for path, value in changes.items():
        _change(root, path, value)
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _change(root: Any, path: Path, value: object) -> None:
    if not path:
        raise CannotEdit("a change needs a path")
    inside = root
    for depth, step in enumerate(path[:-1]):
        inside = _step(inside, step, path[: depth + 1], path[depth + 1], make=value is not None)
        if inside is None:
            return
    last = path[-1]
    if value is None:
        _take_away(inside, last)
    elif isinstance(inside, list) and last == len(inside):
        inside.append(value)
    elif _takes(inside, last):
        inside[last] = value
    else:
        raise CannotEdit(f"{write_path(path)}: there is no such place")


def _step(inside: Any, step: str | int, above: Path, below: str | int, *, make: bool) -> Any:
    """What stands at `step`; made where it is missing, None where it need not be."""
    if not _takes(inside, step) and not (isinstance(inside, list) and step == len(inside)):
        raise CannotEdit(f"{write_path(above)}: there is no such place")
    if isinstance(inside, list) and isinstance(step, int) and step < len(inside):
        return inside[step]
    found = inside.get(step) if isinstance(inside, dict) else None
    if found is None and make:
        found = [] if isinstance(below, int) else CommentedMap()
        if isinstance(inside, list):
            inside.append(found)
        else:
            inside[step] = found
    return found


def _takes(inside: Any, step: str | int) -> bool:
    if isinstance(inside, list):
        return isinstance(step, int) and 0 <= step < len(inside)
    return isinstance(inside, dict) and isinstance(step, str)


def _take_away(inside: Any, last: str | int) -> None:
    if isinstance(inside, dict):
        inside.pop(last, None)
    elif isinstance(last, int) and last < len(inside):
        del inside[last]
