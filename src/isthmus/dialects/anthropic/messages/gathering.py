"""A block of a stream that the core has no word for, while its pieces come."""

from msgspec import Raw

from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


class Gathering:
    """The block as it started; deltas add to it: text to text, `partial_json` to the input, the rest replaces."""

    __slots__ = ("_fields", "_input", "_texts")

    def __init__(self, body: Raw) -> None:
        self._fields = json.read_fields(body)
        self._input: list[str] = []
        self._texts: dict[str, list[str]] = {}

    def add(self, delta: Fields) -> None:
        delta.raw("type")
        piece = delta.text("partial_json")
        if piece is not None:
            self._input.append(piece)
        left = delta.rest("")
        for name, value in left.fields.items() if left is not None else ():
            if json.is_text(value):
                self._texts.setdefault(name, []).append(json.decode(value))
            else:
                self._fields[name] = value

    def whole(self) -> Raw:
        """The complete block."""
        if told := "".join(self._input):
            self._fields["input"] = _as_json(told)
        for name, pieces in self._texts.items():
            start = self._fields.get(name)
            first = json.decode(start) if start is not None and json.is_text(start) else ""
            self._fields[name] = json.raw(first + "".join(pieces))
        return json.raw(self._fields)


def _as_json(text: str) -> Raw:
    body = text.encode()
    try:
        json.decode(body)
    except Malformed:
        return json.raw({"_raw": text})
    return Raw(body)
