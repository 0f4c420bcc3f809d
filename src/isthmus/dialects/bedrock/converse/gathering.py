"""A block of a stream that the core has no delta for, while its pieces come: a provider's own tool call or its result,
or a picture."""

from collections.abc import Callable, Mapping

from msgspec import Raw

from isthmus.core.content import Media
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse.media import read_media
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


class Gathering:
    """The block as it started, of the kind `word`; deltas add to it."""

    __slots__ = ("_content", "_fields", "_input", "_word")

    def __init__(self, word: str, body: Raw) -> None:
        self._word = word
        self._fields = json.read_fields(body)
        self._input: list[str] = []
        self._content: list[Raw] = []

    def add(self, delta: Fields) -> None:
        """A delta of another kind than the block's says nothing of it."""
        value = delta.raw(self._word)
        if value is not None:
            _ADD[self._word](self, value)

    def _add_input(self, value: Raw) -> None:
        self._input.append(Fields(value).text("input") or "")

    def _add_content(self, value: Raw) -> None:
        self._content.extend(json.read_items(value))

    def _add_fields(self, value: Raw) -> None:
        self._fields.update(json.read_fields(value))

    def whole(self) -> Media | Foreign:
        """The complete block."""
        if self._word == "toolUse":
            self._fields["input"] = _as_json("".join(self._input))
        elif self._word == "toolResult":
            self._fields["content"] = json.raw(self._content)
        inner = json.raw(self._fields)
        body = json.raw({self._word: inner})
        return read_media(self._word, Fields(inner), body) if self._word == "image" else Foreign(DIALECT, body)


def _as_json(text: str) -> Raw:
    body = text.encode() or b"{}"
    try:
        json.decode(body)
    except Malformed:
        return json.raw({"_raw": text})
    return Raw(body)


_ADD: Mapping[str, Callable[[Gathering, Raw], None]] = {
    "toolUse": Gathering._add_input,
    "toolResult": Gathering._add_content,
    "image": Gathering._add_fields,
}
