"""The tool calls of one candidate of a stream, put together from their pieces.

A piece belongs to the call of its `index`; hosts that leave it out or give all calls the same one are
told apart by the call's id. Calls stay open until the candidate stops, because pieces may come interleaved.
"""

from collections.abc import Callable

from isthmus.core.content import Signature
from isthmus.core.events import ArgumentsDelta, BlockKind, BlockStart, BlockStop, Event, SignatureDelta
from isthmus.dialects.openai.chat.calls import invented_id, signature_in
from isthmus.dialects.openai.chat.shapes import CallDelta, FunctionDelta
from isthmus.wire import json


class _Call:
    """One call. It is told once its name is known; until then its pieces wait. `index` is its block's, once told."""

    __slots__ = ("closed", "id", "index", "name", "signature", "waiting")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.index: int | None = None
        self.waiting = ""
        self.signature: Signature | None = None
        self.closed = False


_NO_FUNCTION = FunctionDelta()


class CallTable:
    """`called`: the candidate has called a tool."""

    def __init__(self, number: int, reply_id: str, numbers: Callable[[], int]) -> None:
        self.called = False
        self._candidate = number
        self._reply_id = reply_id
        self._next = numbers
        self._calls: list[_Call] = []
        self._by_place: dict[int, _Call] = {}

    def hear(self, delta: CallDelta, events: list[Event]) -> None:
        """One item of a chunk's `tool_calls`."""
        function = delta.function or _NO_FUNCTION
        call = self._find(delta, function.name)
        if call.closed:
            return
        call.id = call.id or delta.id or ""
        call.name = call.name or function.name or ""
        if delta.extra_content is not None:
            call.signature = signature_in(delta.extra_content)
        arguments = function.arguments
        if arguments:
            call.waiting += arguments if isinstance(arguments, str) else json.encode(arguments).decode()
        if call.name:
            self._tell(call, events)

    def close(self, events: list[Event]) -> None:
        """No further piece is expected."""
        for call in self._calls:
            if not call.closed and (call.index is not None or call.waiting):
                self._tell(call, events)
                events.append(BlockStop(call.index or 0))
            call.closed = True

    def _find(self, delta: CallDelta, name: str | None) -> _Call:
        if delta.index is not None:
            call = self._by_place.get(delta.index)
            another = call is not None and delta.id and call.id and delta.id != call.id and name
            if call is None or another:
                call = self._by_place[delta.index] = self._new()
            return call
        if delta.id:
            return next((call for call in self._calls if call.id == delta.id), None) or self._new()
        return self._new() if name or not self._calls else self._calls[-1]

    def _new(self) -> _Call:
        call = _Call()
        self._calls.append(call)
        return call

    def _tell(self, call: _Call, events: list[Event]) -> None:
        if call.index is None:
            self.called = True
            call.index = self._next()
            call.id = call.id or invented_id(self._reply_id, f"choices[{self._candidate}]", self._calls.index(call))
            events.append(BlockStart(call.index, BlockKind.TOOL_CALL, call.id, call.name, candidate=self._candidate))
        if call.signature is not None:
            events.append(SignatureDelta(call.index, call.signature))
            call.signature = None
        if call.waiting:
            events.append(ArgumentsDelta(call.index, call.waiting))
            call.waiting = ""
