"""The only door to JSON.

`Fields` reads one object field by field: each take claims a field, `rest` is what
nobody claimed. Values that are only carried stay `Raw`: the bytes as they arrived.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from isthmus.core.value import Extra

_T = TypeVar("_T")

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises: bad syntax or shape, text that is not UTF-8, nesting without end."""

NULL = Raw(b"null")
_encoder = msgspec.json.Encoder()
_sorted = msgspec.json.Encoder(order="sorted")
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_items = msgspec.json.Decoder(list[Raw]).decode
_decode_any = msgspec.json.Decoder().decode
encode: Callable[[object], bytes] = _encoder.encode
"""The compact JSON of a value of structs, mappings, sequences, strings, numbers and Raw."""


def encode_line(value: object) -> bytes:
    """The same on one line, as an event's data must be: a carried Raw may hold line breaks, outside its strings."""
    return encode(value).replace(b"\n", b" ").replace(b"\r", b" ")


def encode_pretty(value: object) -> bytes:
    """The same for people: a value a line, indented by two."""
    return msgspec.json.format(encode(value), indent=2) + b"\n"


class Malformed(Exception):
    """The text is not JSON, or not of the shape asked for. `path` is the field at fault, "" for the whole."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path


def decode(body: bytes | Raw) -> Any:
    """Any JSON value as plain Python. Raises Malformed."""
    try:
        return _decode_any(body)
    except DECODE_ERRORS as error:
        raise Malformed(str(error)) from error


def decoder(shape: type[_T]) -> Callable[[bytes | Raw], _T]:
    """A reusable decoder for one shape, for hot paths. What it returns raises DECODE_ERRORS."""
    return msgspec.json.Decoder(shape).decode


def schemas(shapes: Iterable[object], where: str) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """The JSON Schema of each of `shapes`, and those that they refer to by name; `where` holds `{name}`."""
    return msgspec.json.schema_components(shapes, schema_hook=_anything, ref_template=where)


def _anything(shape: type) -> dict[str, Any]:
    """An `object` may be any JSON."""
    if shape is object:
        return {"description": "Any JSON."}
    raise NotImplementedError


def canonical(body: str) -> str:
    """The same text for JSON that differs in spacing or order only; text that is no JSON, as it is."""
    try:
        return _sorted.encode(decode(body.encode())).decode()
    except Malformed:
        return body


def raw(value: object) -> Raw:
    """`value` as JSON, ready to be put into another document."""
    return Raw(encode(value))


def read_fields(body: bytes | Raw, path: str = "") -> dict[str, Raw]:
    """The fields of the object `body`, each as it was spelled, in order. Raises Malformed."""
    try:
        return _decode_fields(body)
    except DECODE_ERRORS as error:
        raise _wrong(body, path, "an object", error) from error


def read_items(body: bytes | Raw, path: str = "") -> list[Raw]:
    """The items of the array `body`, each as it was spelled. Raises Malformed."""
    try:
        return _decode_items(body)
    except DECODE_ERRORS as error:
        raise _wrong(body, path, "an array", error) from error


def splice(body: bytes, changes: Mapping[str, Raw | None]) -> bytes:
    """Replace, add or (None) remove top-level fields; every byte of every other value is preserved."""
    fields = read_fields(body)
    for name, value in changes.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = value
    return encode(fields)


def check_text(body: bytes) -> None:
    """Raises Malformed for what is not UTF-8. A decoder looks at the text that it takes, and not into what is Raw."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Malformed(f"not valid UTF-8: {error}") from error


def document(body: bytes) -> "Fields":
    """One whole object from outside, to be read. Nothing in it can fail for its text later on. Raises Malformed."""
    check_text(body)
    return Fields(body)


class Fields:
    """One JSON object being read. `path` is where it stands in the document, for errors ("messages[1]")."""

    __slots__ = ("_left", "path")

    def __init__(self, body: bytes | Raw, path: str = "") -> None:
        self._left = read_fields(body, path)
        self.path = path

    def at(self, name: str) -> str:
        """The path of one of this object's fields."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> Raw | None:
        """The field word for word; None when absent or null."""
        value = self._left.pop(name, None)
        return None if value is None or value == NULL else value

    def look(self, name: str) -> Raw | None:
        """As `raw`, without claiming the field."""
        value = self._left.get(name)
        return None if value is None or value == NULL else value

    def text(self, name: str) -> str | None:
        """A string; None when absent or null. Raises Malformed for another type, as all below do."""
        return self._typed(name, _decode_str, "a string")

    def integer(self, name: str) -> int | None:
        """A whole number."""
        return self._typed(name, _decode_int, "an integer")

    def number(self, name: str) -> float | None:
        return self._typed(name, _decode_float, "a number")

    def flag(self, name: str) -> bool | None:
        return self._typed(name, _decode_bool, "true or false")

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of strings."""
        return self._typed(name, _decode_strs, "a list of strings")

    def fields(self, name: str) -> "Fields | None":
        """An object, to be read in turn."""
        value = self.raw(name)
        return None if value is None else Fields(value, self.at(name))

    def items(self, name: str) -> "list[Fields] | None":
        """A list of objects, to be read in turn."""
        value = self.raw(name)
        if value is None:
            return None
        at = self.at(name)
        return [Fields(item, f"{at}[{number}]") for number, item in enumerate(read_items(value, at))]

    def need(self, name: str, value: _T | None) -> _T:
        """`value`, which was taken from the field `name`, or Malformed when there was none."""
        if value is None:
            raise Malformed(f"{self.at(name)} is required", self.at(name))
        return value

    def rest(self, dialect: str) -> Extra | None:
        """What nobody claimed and is not null, to be kept for `dialect`. None when nothing is left."""
        left = {name: value for name, value in self._left.items() if value != NULL}
        return Extra(dialect, left) if left else None

    def _typed(self, name: str, read: Callable[[bytes | Raw], _T], expected: str) -> _T | None:
        value = self._left.pop(name, None)
        if value is None or value == NULL:
            return None
        try:
            return read(value)
        except DECODE_ERRORS as error:
            raise _wrong(value, self.at(name), expected, error) from error


def is_object(value: Raw) -> bool:
    """Is the JSON value an object?"""
    return memoryview(value)[0] == 0x7B


def is_text(value: Raw) -> bool:
    """Is the JSON value a string?"""
    return memoryview(value)[0] == 0x22


_decode_str = msgspec.json.Decoder(str).decode
_decode_int = msgspec.json.Decoder(int).decode
_decode_float = msgspec.json.Decoder(float).decode
_decode_bool = msgspec.json.Decoder(bool).decode
_decode_strs = msgspec.json.Decoder(tuple[str, ...]).decode

_KINDS = {b"{": "an object", b"[": "an array", b'"': "a string", b"t": "true", b"f": "false", b"n": "null"}


def _wrong(body: bytes | Raw, path: str, expected: str, error: Exception) -> Malformed:
    text = bytes(memoryview(body)[:64]).lstrip()
    if not text:
        return Malformed("the body is empty" if not path else f"{path} is empty", path)
    if isinstance(error, RecursionError):
        return Malformed(f"{path or 'the body'} is nested too deeply", path)
    if not path and not isinstance(error, msgspec.ValidationError):
        return Malformed(f"not valid JSON: {error}", path)
    found = _KINDS.get(text[:1], "a number")
    return Malformed(f"{path or 'the body'} must be {expected}, not {found}", path)
