"""Settings as plain values, and paths into them. Pure: what a text says, without how it says it."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeAlias

from isthmus.core.value import Value


class Absent(Enum):
    """What a path leads to where there is nothing. None is a value that a file may say."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Item(Value, frozen=True):
    """The item of a list whose `field` says `name`. One that is put where there is none goes to the list's end."""

    field: str
    name: str


Step: TypeAlias = str | Item
Path: TypeAlias = tuple[Step, ...]
Puts: TypeAlias = Mapping[Path, object]
"""Values by the paths that they belong at; ABSENT for what must not be there."""


class CannotChange(Exception):
    """The text cannot be read, or not be changed as asked; it says why, after the name of the file."""


def look(settings: object, path: Path) -> object:
    """What stands at `path`, or ABSENT."""
    for step in path:
        settings = _inside(settings, step)
        if settings is ABSENT:
            return ABSENT
    return settings


def position(items: Sequence[object], step: Item) -> int | None:
    """Where the item is; None where there is none."""
    for number, item in enumerate(items):
        if isinstance(item, Mapping) and item.get(step.field) == step.name:
            return number
    return None


def nested(path: Path, value: object) -> object:
    """`value` inside what leads to it, for a place where nothing of that is there yet."""
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def changed(settings: object, path: Path, value: object) -> object:
    """The settings with `value` at `path`, or without what stood there for ABSENT. What leads to it is made.

    Raises CannotChange where something else is in the way.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if settings is None or settings is ABSENT:
        return ABSENT if value is ABSENT else nested(path, value)
    if isinstance(step, str) and isinstance(settings, Mapping):
        return _changed_field(settings, step, rest, value)
    if isinstance(step, Item) and isinstance(settings, Sequence) and not isinstance(settings, str):
        return _changed_item(settings, step, rest, value)
    where = step if isinstance(step, str) else step.name
    raise CannotChange(f"has something else where {where} belongs, and is left as it is")


def _changed_field(settings: Mapping[str, object], step: str, rest: Path, value: object) -> object:
    inside = changed(settings.get(step, ABSENT), rest, value)
    if inside is ABSENT:
        return {name: one for name, one in settings.items() if name != step}
    return {**settings, step: inside}


def _changed_item(settings: Sequence[object], step: Item, rest: Path, value: object) -> object:
    at = position(settings, step)
    inside = changed(ABSENT if at is None else settings[at], rest, value)
    if at is None:
        return list(settings) if inside is ABSENT else [*settings, inside]
    return [*settings[:at], *(() if inside is ABSENT else (inside,)), *settings[at + 1 :]]


def _inside(settings: object, step: Step) -> object:
    if isinstance(step, str):
        return settings.get(step, ABSENT) if isinstance(settings, Mapping) else ABSENT
    if not isinstance(settings, Sequence) or isinstance(settings, str):
        return ABSENT
    at = position(settings, step)
    return ABSENT if at is None else settings[at]
