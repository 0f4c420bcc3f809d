"""TOML changed by tomlkit, which keeps what a change does not concern. Loaded only where a text is changed."""

from collections.abc import MutableMapping
from typing import cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from isthmus.tools.formats.values import CannotChange, Path


def put(text: str, path: Path, value: object) -> str:
    """`value` at `path`, in a table of its own where what leads to it is missing. Raises CannotChange."""
    document = _document(text)
    inside: MutableMapping[str, object] = document
    names = _names(path)
    for depth, name in enumerate(names[:-1], 1):
        if name not in inside:
            inside[name] = _table(inside, holds_tables=depth < len(names) - 1)
        inside = cast("MutableMapping[str, object]", inside[name])
    inside[names[-1]] = value
    return tomlkit.dumps(document)


def drop(text: str, path: Path) -> str:
    """The text without what stands at `path`. Raises CannotChange."""
    document = _document(text)
    inside: MutableMapping[str, object] = document
    names = _names(path)
    for name in names[:-1]:
        inside = cast("MutableMapping[str, object]", inside.get(name, {}))
    inside.pop(names[-1], None)
    return tomlkit.dumps(document)


def _table(inside: object, *, holds_tables: bool) -> Table | InlineTable:
    """An empty table of the kind that may stand there."""
    return tomlkit.inline_table() if isinstance(inside, InlineTable) else tomlkit.table(is_super_table=holds_tables)


def _document(text: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise CannotChange(f"is no TOML ({error}), and is left as it is") from error


def _names(path: Path) -> list[str]:
    names = [step for step in path if isinstance(step, str)]
    if len(names) != len(path):
        raise CannotChange("holds a list where one cannot be changed")
    return names
