"""A streamed answer of a provider, as events.

Text and thoughts begin with their first delta, calls with a start of their own. The reason to stop comes before the
usage, so the stop is told when both are known. The padding `p`, which hides the length of words, says nothing.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import UNSET, Raw, Struct, UnsetType

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    ForeignEvent,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.reply import Finish
from isthmus.core.value import Extra
from isthmus.dialects.bedrock.converse.blocks import (
    SERVER_CALL,
    read_citation,
    read_redacted,
    read_signature,
    with_kind,
)
from isthmus.dialects.bedrock.converse.gathering import Gathering
from isthmus.dialects.bedrock.converse.reply import beside, claim_sequence, read_finish
from isthmus.dialects.bedrock.converse.usage import read_usage
from isthmus.dialects.bedrock.errors import read_failure
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

_NOTHING: Sequence[Event] = ()
_PING = b"initial-response"
"""An event of the framing itself, which opens some streams and says nothing."""


class _TextPiece(Struct, frozen=True, gc=False):
    text: str | UnsetType = UNSET


class _Piece(Struct, frozen=True, gc=False):
    """A delta of text, which most of every stream is."""

    contentBlockIndex: int  # noqa: N815  as the provider spells it
    delta: _TextPiece


_read_piece = json.decoder(_Piece)


class _Open:
    """A block while it is told. `proof` gathers a signature or redacted content; `told`: arguments have come."""

    __slots__ = ("index", "kind", "proof", "redacted", "told")

    def __init__(self, index: int, kind: BlockKind, *, redacted: bool = False) -> None:
        self.index = index
        self.kind = kind
        self.redacted = redacted
        self.proof: list[str] = []
        self.told = False


class ConverseReader:
    """One stream."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._gathered: dict[int, Gathering] = {}
        self._next = 0
        self._started = self._over = self._calls = False
        self._finish: Finish | None = None
        self._extra: dict[str, Raw] = {}
        self._labels: dict[str, Raw] = {}

    def read(self, frame: Frame) -> Sequence[Event]:
        if frame.event == b"contentBlockDelta":
            with suppress(*DECODE_ERRORS):
                piece = _read_piece(frame.data)
                block = self._open.get(piece.contentBlockIndex)
                if block is not None and block.kind is BlockKind.TEXT and piece.delta.text is not UNSET:
                    return (TextDelta(block.index, piece.delta.text),)
        return _NOTHING if self._over or frame.event == _PING else self._read_any(frame)

    def end(self) -> Sequence[Event]:
        if self._over:
            return _NOTHING
        if self._finish is not None:
            return self._stop()
        return self._break_off(GatewayError(Kind.CUT_SHORT, "the provider's answer broke off before its end"))

    def _read_any(self, frame: Frame) -> Sequence[Event]:
        if (failure := read_failure(frame)) is not None:
            return self._break_off(failure)
        word = frame.event.decode("latin-1")
        read = _EVENTS.get(word)
        try:
            fields = json.document(frame.data)
            fields.raw("p")
            if read is None:
                return (ForeignEvent(DIALECT, json.raw({word: Raw(frame.data)})),)
            begun = () if self._started or word == "messageStart" else self._start(Fields(b"{}"))
            return (*begun, *read(self, fields))
        except Malformed as error:
            return self._break_off(GatewayError(Kind.GARBLED, f"the provider's stream: {error.message}"))

    def _start(self, fields: Fields) -> Sequence[Event]:
        """A second start goes on with the same answer."""
        if self._started:
            return _NOTHING
        self._started = True
        fields.raw("role")
        return (MessageStart("", "", extra=fields.rest(DIALECT)),)

    def _block_start(self, fields: Fields) -> Sequence[Event]:
        """Only calls, results and pictures have something to say before their first delta."""
        number = fields.need("contentBlockIndex", fields.integer("contentBlockIndex"))
        start = fields.fields("start")
        closed = self._close(number)
        word = None if start is None else next((one for one in _STARTS if start.look(one) is not None), None)
        if start is None or word is None:
            return closed
        return (*closed, *_STARTS[word](self, number, start, word))

    def _begin_call(self, number: int, start: Fields, word: str) -> Sequence[Event]:
        whole = start.need(word, start.look(word))
        call = Fields(whole, start.at(word))
        kind = call.text("type")
        if kind == SERVER_CALL:
            return self._gather(number, start, word)
        identity, name = call.need("toolUseId", call.text("toolUseId")), call.need("name", call.text("name"))
        self._calls = True
        block = self._add(number, BlockKind.TOOL_CALL)
        return (BlockStart(block.index, block.kind, identity, name, extra=with_kind(call.rest(DIALECT), kind)),)

    def _gather(self, number: int, start: Fields, word: str) -> Sequence[Event]:
        self._gathered[number] = Gathering(word, start.need(word, start.raw(word)))
        return _NOTHING

    def _add(self, number: int, kind: BlockKind, *, redacted: bool = False) -> _Open:
        block = self._open[number] = _Open(self._next, kind, redacted=redacted)
        self._next += 1
        return block

    def _block_delta(self, fields: Fields) -> Sequence[Event]:
        number = fields.need("contentBlockIndex", fields.integer("contentBlockIndex"))
        delta = fields.need("delta", fields.fields("delta"))
        if number in self._gathered:
            self._gathered[number].add(delta)
            return _NOTHING
        word = next((one for one in _DELTAS if delta.look(one) is not None), None)
        if word is not None:
            return _DELTAS[word](self, number, delta)
        left = delta.rest(DIALECT)
        if left is None:
            return _NOTHING
        told = {"contentBlockDelta": {"contentBlockIndex": number, "delta": left.fields}}
        return (ForeignEvent(DIALECT, json.raw(told)),)

    def _block(self, number: int, kind: BlockKind, *, redacted: bool = False) -> tuple[_Open, list[Event]]:
        """The open block of that kind, begun where none is: few blocks are announced."""
        block = self._open.get(number)
        if block is not None and block.kind is kind and block.redacted is redacted:
            return block, []
        events = [*self._close(number)]
        block = self._add(number, kind, redacted=redacted)
        events.append(BlockStart(block.index, kind, redacted=redacted))
        return block, events

    def _text(self, number: int, delta: Fields) -> Sequence[Event]:
        text = delta.text("text") or ""
        block, events = self._block(number, BlockKind.TEXT)
        return (*events, TextDelta(block.index, text)) if text else events

    def _citation(self, number: int, delta: Fields) -> Sequence[Event]:
        block, events = self._block(number, BlockKind.TEXT)
        return (*events, CitationDelta(block.index, read_citation(delta.need("citation", delta.raw("citation")))))

    def _arguments(self, number: int, delta: Fields) -> Sequence[Event]:
        """Arguments without a start belong to nobody's call."""
        inner = delta.need("toolUse", delta.fields("toolUse"))
        piece, block = inner.text("input"), self._open.get(number)
        if block is None or block.kind is not BlockKind.TOOL_CALL or not piece:
            return _NOTHING
        block.told = True
        return (ArgumentsDelta(block.index, piece),)

    def _reasoning(self, number: int, delta: Fields) -> Sequence[Event]:
        inner = delta.need("reasoningContent", delta.fields("reasoningContent"))
        data, text, proof = inner.text("redactedContent"), inner.text("text"), inner.text("signature")
        block, events = self._block(number, BlockKind.REASONING, redacted=data is not None)
        if (piece := data or proof) is not None:
            block.proof.append(piece)
        return (*events, ReasoningDelta(block.index, text)) if text else events

    def _block_stop(self, fields: Fields) -> Sequence[Event]:
        return self._close(fields.need("contentBlockIndex", fields.integer("contentBlockIndex")))

    def _close(self, number: int) -> Sequence[Event]:
        if (gathered := self._gathered.pop(number, None)) is not None:
            return (WholePart(gathered.whole()),)
        block = self._open.pop(number, None)
        if block is None:
            return _NOTHING
        events: list[Event] = []
        if block.kind is BlockKind.TOOL_CALL and not block.told:
            events.append(ArgumentsDelta(block.index, "{}"))
        if block.proof:
            proof = read_redacted(_joined(block.proof)) if block.redacted else read_signature("".join(block.proof))
            if proof is not None:
                events.append(SignatureDelta(block.index, proof))
        events.append(BlockStop(block.index))
        return events

    def _close_all(self) -> Sequence[Event]:
        numbers = sorted((*self._open, *self._gathered))
        return [event for number in numbers for event in self._close(number)]

    def _message_stop(self, fields: Fields) -> Sequence[Event]:
        closed = self._close_all()
        sequence = claim_sequence(fields)
        word = fields.need("stopReason", fields.text("stopReason"))
        self._finish = read_finish(word, sequence, calls=self._calls)
        self._keep(fields)
        return closed

    def _metadata(self, fields: Fields) -> Sequence[Event]:
        usage = read_usage(fields.raw("usage"))
        self._keep(fields)
        told = _NOTHING if usage is None else (UsageReport(usage),)
        return told if self._finish is None else (*told, *self._stop())

    def _keep(self, fields: Fields) -> None:
        if (left := beside(fields)) is not None:
            self._extra.update(left.fields)
            self._labels.update(left.labels)

    def _stop(self) -> Sequence[Event]:
        self._over = True
        extra = Extra(DIALECT, self._extra, self._labels) if self._extra or self._labels else None
        return (*self._close_all(), MessageStop(self._finish, extra=extra))

    def _break_off(self, error: GatewayError) -> Sequence[Event]:
        self._over = True
        self._open.clear()
        return (StreamError(error),)


def _joined(pieces: Sequence[str]) -> str:
    """One blob of several, each of which is base64 of its own."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)


_EVENTS: Mapping[str, Callable[[ConverseReader, Fields], Sequence[Event]]] = {
    "messageStart": ConverseReader._start,
    "contentBlockStart": ConverseReader._block_start,
    "contentBlockDelta": ConverseReader._block_delta,
    "contentBlockStop": ConverseReader._block_stop,
    "messageStop": ConverseReader._message_stop,
    "metadata": ConverseReader._metadata,
}
_STARTS: Mapping[str, Callable[[ConverseReader, int, Fields, str], Sequence[Event]]] = {
    "toolUse": ConverseReader._begin_call,
    "toolResult": ConverseReader._gather,
    "image": ConverseReader._gather,
}
_DELTAS: Mapping[str, Callable[[ConverseReader, int, Fields], Sequence[Event]]] = {
    "text": ConverseReader._text,
    "toolUse": ConverseReader._arguments,
    "reasoningContent": ConverseReader._reasoning,
    "citation": ConverseReader._citation,
}
