"""The Codex backend's streams, whose last event has no items, with the items that they had.

Since it keeps nothing, the response at the end comes with an empty `output`, and clients that read only that find no
answer: github.com/commontoolsinc/labs/pull/5092, github.com/NousResearch/hermes-agent/pull/5689.
"""

from msgspec import Raw, Struct

from isthmus.providers.provider import Aim
from isthmus.wire import json
from isthmus.wire.sse import EventGate

MOST = 32 * 1024 * 1024
"""Bytes of items that are held to be told again; an answer of more ends as it came."""
_DONE = "response.output_item.done"
_ENDS = frozenset({"response.completed", "response.incomplete"})
_MARKS = tuple(name.encode() for name in (_DONE, *_ENDS))
_EMPTY = frozenset({b"[]", b"null"})
_DATA = b"data:"


class _Event(Struct, frozen=True, gc=False):
    type: str = ""
    output_index: int = 0
    item: Raw = json.NULL
    response: Raw = json.NULL


_read = json.decoder(_Event)


def unwrap(aim: Aim) -> "Completing | None":
    """For a stream that its caller reads as one; None for an answer that is folded anyway."""
    return Completing() if aim.stream else None


class Completing:
    """Implements Unwrap. Events go on as they came, but for the last, in which the items are put."""

    def __init__(self) -> None:
        self._gate = EventGate()
        self._items: dict[int, Raw] = {}
        self._size = 0

    def feed(self, data: bytes) -> bytes:
        whole = self._gate.feed(data)
        if not any(mark in whole for mark in _MARKS):
            return whole
        return b"\n\n".join([self._event(block) for block in whole.split(b"\n\n")])

    def end(self) -> bytes:
        return self._gate.end()

    def _event(self, block: bytes) -> bytes:
        """The event, without the blank line behind it."""
        if not any(mark in block for mark in _MARKS):
            return block
        lines = block.split(b"\n")
        told = [number for number, line in enumerate(lines) if line.startswith(_DATA)]
        if len(told) != 1:
            return block
        try:
            event = _read(lines[told[0]][len(_DATA) :])
            if event.type == _DONE:
                self._hold(event)
            elif event.type in _ENDS:
                lines[told[0]] = self._completed(lines[told[0]], event)
        except (json.Malformed, *json.DECODE_ERRORS):
            return block
        return b"\n".join(lines)

    def _hold(self, event: _Event) -> None:
        self._size += len(event.item)
        if self._size <= MOST:
            self._items[event.output_index] = Raw(bytes(event.item))

    def _completed(self, line: bytes, event: _Event) -> bytes:
        response = json.read_fields(event.response)
        if self._size > MOST or not self._items or bytes(response.get("output", json.NULL)) not in _EMPTY:
            return line
        response["output"] = json.raw([self._items[place] for place in sorted(self._items)])
        fields = json.read_fields(line[len(_DATA) :])
        fields["response"] = json.raw(response)
        return _DATA + b" " + json.encode_line(fields)
