"""Names in either spelling: every object of this dialect may say `mimeType` or `mime_type`.

Numbers may be strings, and a list of one may be that one by itself, as Protocol Buffers' JSON allows.

Source: https://protobuf.dev/programming-guides/json.
"""

from msgspec import Raw

from isthmus.wire import json
from isthmus.wire.json import Fields


def camel(name: str) -> str:
    """`mime_type` as `mimeType`. What begins with an underscore is spelled so on purpose."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others) if first else name


class Camel(Fields):
    """One object of this dialect, its fields by their names in camelCase."""

    __slots__ = ()

    def __init__(self, body: bytes | Raw, path: str = "") -> None:
        super().__init__(body, path)
        if any("_" in name for name in self._left):
            said = self._left
            self._left = {camel(name): value for name, value in said.items()}
            self._left.update((name, value) for name, value in said.items() if "_" not in name)

    def integer(self, name: str) -> int | None:
        """A whole number, also one that is spelled 40.0 or "40"."""
        value = self.look(name)
        if value is None:
            return super().integer(name)
        told = json.decode(value)
        if isinstance(told, str) and told.lstrip("-").isdecimal() and len(told) < _LONGEST_NUMBER:
            self.raw(name)
            return int(told)
        if isinstance(told, float) and told.is_integer():
            self.raw(name)
            return int(told)
        return super().integer(name)

    def inner(self, name: str) -> "Camel | None":
        """An object of this dialect, to be read in turn."""
        value = self.raw(name)
        return None if value is None else Camel(value, self.at(name))

    def each(self, name: str) -> list[Raw] | None:
        """The items of a list, or the one object that stands for a list of one."""
        value = self.raw(name)
        if value is None:
            return None
        return [value] if memoryview(value)[0] == ord("{") else json.read_items(value, self.at(name))

    def word(self, name: str) -> str | None:
        """A word of an enumeration; None where it is missing. What is told as a number stays where it is."""
        value = self.look(name)
        return self.text(name) if value is not None and json.is_text(value) else None

    def names(self) -> set[str]:
        """The fields that nobody claimed yet."""
        return set(self._left)


_LONGEST_NUMBER = 20


def whole_object(body: bytes) -> Camel:
    """One whole object from outside, to be read. Nothing in it can fail for its text later on. Raises Malformed."""
    json.check_text(body)
    return Camel(body)
