"""The name that was asked for, in place of the provider's own, in an answer that is passed on.

Only made where the two differ, so that all other answers pass as they are. A stream's events are not read: the
field is learned from the first that has it, and is one replacement of bytes in every other. In a text its quotes
would be escaped.
"""

from collections.abc import Iterator

from msgspec import Raw

from isthmus.dialects.codec import Codec, EmbedCodec
from isthmus.wire import json
from isthmus.wire.framings import SPLITTERS
from isthmus.wire.json import Malformed
from isthmus.wire.respell import respell_any

_COLONS = (b":", b": ")


class Renaming:
    """One answer's. `old` is the field as the provider spells it, once it was seen."""

    __slots__ = ("_codec", "_name", "_new", "_old", "_quoted")

    def __init__(self, codec: Codec, name: str) -> None:
        self._codec = codec
        self._name = name
        self._quoted = json.encode(codec.shown_as)
        self._new = self._quoted + b":" + json.encode(name)
        self._old: bytes | None = None

    def events(self, data: bytes) -> bytes:
        """The same events, under the name that was asked for. Only whole events are told."""
        old = self._old
        if old is not None and old in data:
            return data.replace(old, self._new)
        return self._learn(data) if self._quoted in data else data

    def _learn(self, data: bytes) -> bytes:
        for name in self._names(data):
            for colon in _COLONS:
                field = b"".join((self._quoted, colon, name))
                if field in data:
                    self._old = field
                    data = data.replace(field, self._new)
        return data

    def _names(self, data: bytes) -> Iterator[Raw]:
        """The provider's names in these events: mostly one, though the first chunk of some has none to show."""
        splitter = SPLITTERS[self._codec.framing]()
        for frame in (*splitter.feed(data), *splitter.end()):
            try:
                fields = json.read_fields(frame.data)
                within = fields.get(self._codec.shown_within) if self._codec.shown_within else None
                name = (fields if within is None else json.read_fields(within)).get(self._codec.shown_as)
            except Malformed:
                continue
            if name is not None and json.is_text(name):
                yield name


def rename_whole(body: bytes, codec: Codec | EmbedCodec, name: str) -> bytes:
    """An answer that came whole, under the name that was asked for. One that names no model is as it was."""
    if not codec.shown_as:
        return body
    if (respelt := respell_any(body, codec.shown_as, name)) is not None:
        return respelt
    fields = json.read_fields(body)
    said = fields.get(codec.shown_as)
    if said is None or not json.is_text(said):
        return body
    return json.encode({**fields, codec.shown_as: json.raw(name)})
