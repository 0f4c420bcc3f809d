"""A streamed answer of a provider, as events.

The event's type is taken from its data; the `event:` line may be missing. Blocks that the core has
no word for (`server_tool_use`, the results of server tools, ...) are gathered and given whole.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Raw

from isthmus.core.content import Signature
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
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.anthropic.errors import read_told
from isthmus.dialects.anthropic.messages.content import read_citation, read_signature
from isthmus.dialects.anthropic.messages.gathering import Gathering
from isthmus.dialects.anthropic.messages.reply import read_finish
from isthmus.dialects.anthropic.messages.shapes import Delta, read_block_delta
from isthmus.dialects.anthropic.messages.usage import merge_counts, read_usage, usage_fields
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

_NOTHING: Sequence[Event] = ()


class _Open:
    """A block that the core knows, while it is told. `pending` are arguments told in its start, not in deltas."""

    __slots__ = ("index", "kind", "pending")

    def __init__(self, index: int, kind: BlockKind, pending: str = "") -> None:
        self.index = index
        self.kind = kind
        self.pending = pending


class MessagesReader:
    """One stream. The provider's block numbers are replaced by our own: a restarted message uses them again."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._gathered: dict[int, Gathering] = {}
        self._next = 0
        self._counts: dict[str, Raw] = {}
        self._started = self._over = self._calls = False
        self._finish: Finish | None = None
        self._extra: Extra | None = None

    def read(self, frame: Frame) -> Sequence[Event]:
        try:
            event = read_block_delta(frame.data)
        except DECODE_ERRORS:
            return self._read_any(frame.data)
        block = self._open.get(event.index)
        if block is None:
            return self._read_any(frame.data)
        delta = event.delta
        if delta.type == "text_delta" and block.kind is BlockKind.TEXT:
            return (TextDelta(block.index, delta.text),)
        read = _DELTAS.get((block.kind, delta.type))
        return self._read_any(frame.data) if read is None else read(block, delta)

    def end(self) -> Sequence[Event]:
        if self._over:
            return _NOTHING
        if self._finish is not None:
            return self._stop()
        return self._break_off(GatewayError(Kind.CUT_SHORT, "the provider's answer broke off before its end"))

    def _read_any(self, data: bytes) -> Sequence[Event]:
        if self._over or data.strip() == b"[DONE]":
            return _NOTHING
        try:
            fields = json.document(data)
            word = fields.need("type", fields.text("type"))
            read = _EVENTS.get(word)
            if read is None:
                return (ForeignEvent(DIALECT, Raw(data)),)
            if not self._started and word in _INSIDE:
                raise Malformed(f"{word} came before message_start")
            return read(self, fields, data)
        except Malformed as error:
            return self._break_off(GatewayError(Kind.GARBLED, f"the provider's stream: {error.message}"))

    def _start(self, fields: Fields, _: bytes) -> Sequence[Event]:
        """A second start goes on with the same answer: what was told before it has been passed on."""
        message = fields.need("message", fields.fields("message"))
        self._counts = merge_counts(self._counts, usage_fields(message.raw("usage")))
        content = message.raw("content")
        for name in ("type", "role", "stop_reason", "stop_sequence"):
            message.raw(name)
        events: list[Event] = list(self._close_all())
        usage = read_usage(self._counts) if self._counts else None
        if not self._started:
            self._started = True
            identity, model = message.text("id") or "", message.text("model") or ""
            events.append(MessageStart(identity, model, None, usage, message.rest(DIALECT)))
        elif usage is not None:
            events.append(UsageReport(usage))
        for number, block in enumerate(() if content is None else json.read_items(content, "message.content")):
            events.extend(self._open_block(number, block))
            events.extend(self._close(number))
        return events

    def _block_start(self, fields: Fields, _: bytes) -> Sequence[Event]:
        number = fields.need("index", fields.integer("index"))
        block = fields.need("content_block", fields.raw("content_block"))
        return (*self._close(number), *self._open_block(number, block))

    def _open_block(self, number: int, body: Raw) -> Sequence[Event]:
        fields = Fields(body, "content_block")
        word = fields.need("type", fields.text("type"))
        begin = _BLOCKS.get(word)
        if begin is None:
            self._gathered[number] = Gathering(body)
            return _NOTHING
        index = self._next
        self._next += 1
        return begin(self, number, index, fields)

    def _begin_text(self, number: int, index: int, fields: Fields) -> Sequence[Event]:
        self._open[number] = _Open(index, BlockKind.TEXT)
        text, citations = fields.text("text"), fields.raw("citations")
        events: list[Event] = [BlockStart(index, BlockKind.TEXT, extra=fields.rest(DIALECT))]
        if text:
            events.append(TextDelta(index, text))
        told = () if citations is None else json.read_items(citations, fields.at("citations"))
        events.extend(CitationDelta(index, read_citation(citation)) for citation in told)
        return events

    def _begin_thought(self, number: int, index: int, fields: Fields) -> Sequence[Event]:
        self._open[number] = _Open(index, BlockKind.REASONING)
        text, proof = fields.text("thinking"), read_signature(fields.text("signature"))
        events: list[Event] = [BlockStart(index, BlockKind.REASONING, extra=fields.rest(DIALECT))]
        if text:
            events.append(ReasoningDelta(index, text))
        if proof is not None:
            events.append(SignatureDelta(index, proof))
        return events

    def _begin_redacted(self, number: int, index: int, fields: Fields) -> Sequence[Event]:
        self._open[number] = _Open(index, BlockKind.REASONING)
        proof = read_signature(fields.text("data"))
        start = BlockStart(index, BlockKind.REASONING, redacted=True, extra=fields.rest(DIALECT))
        return (start,) if proof is None else (start, SignatureDelta(index, proof))

    def _begin_call(self, number: int, index: int, fields: Fields) -> Sequence[Event]:
        """The arguments come in deltas; a tool that takes none may have no delta, or an empty one."""
        self._calls = True
        arguments = fields.raw("input")
        identity, name = fields.need("id", fields.text("id")), fields.need("name", fields.text("name"))
        self._open[number] = _Open(index, BlockKind.TOOL_CALL, "{}" if arguments is None else bytes(arguments).decode())
        return (BlockStart(index, BlockKind.TOOL_CALL, identity, name, extra=fields.rest(DIALECT)),)

    def _block_delta(self, fields: Fields, data: bytes) -> Sequence[Event]:
        """A delta that the fast path left: of a gathered block, a citation, or one nobody knows yet."""
        number = fields.need("index", fields.integer("index"))
        delta = fields.need("delta", fields.fields("delta"))
        if number in self._gathered:
            self._gathered[number].add(delta)
            return _NOTHING
        block = self._open.get(number)
        word = delta.text("type")
        if word == "citations_delta" and block is not None and block.kind is BlockKind.TEXT:
            return (CitationDelta(block.index, read_citation(delta.need("citation", delta.raw("citation")))),)
        if block is None and word in _UNOPENED:
            opened = self._open_block(number, json.raw({"type": _UNOPENED[word]}))
            return (*opened, *self.read(Frame(b"", data)))
        return (ForeignEvent(DIALECT, Raw(data)),)

    def _block_stop(self, fields: Fields, _: bytes) -> Sequence[Event]:
        return self._close(fields.need("index", fields.integer("index")))

    def _close(self, number: int) -> Sequence[Event]:
        if (gathered := self._gathered.pop(number, None)) is not None:
            return (WholePart(Foreign(DIALECT, gathered.whole())),)
        block = self._open.pop(number, None)
        if block is None:
            return _NOTHING
        if block.pending:
            return (ArgumentsDelta(block.index, block.pending), BlockStop(block.index))
        return (BlockStop(block.index),)

    def _close_all(self) -> Sequence[Event]:
        numbers = sorted((*self._open, *self._gathered))
        return [event for number in numbers for event in self._close(number)]

    def _message_delta(self, fields: Fields, _: bytes) -> Sequence[Event]:
        events: list[Event] = list(self._close_all())
        delta = fields.fields("delta")
        kept: dict[str, Raw] = {}
        if delta is not None:
            finish = read_finish(delta.text("stop_reason"), delta.text("stop_sequence"), calls=self._calls)
            self._finish = finish or self._finish
            if (left := delta.rest(DIALECT)) is not None:
                kept.update(left.fields)
        if counts := usage_fields(fields.raw("usage")):
            self._counts = merge_counts(self._counts, counts)
            events.append(UsageReport(read_usage(self._counts)))
        if (left := fields.rest(DIALECT)) is not None:
            kept.update(left.fields)
        if kept:
            self._extra = Extra(DIALECT, kept)
        return events

    def _message_stop(self, _: Fields, __: bytes) -> Sequence[Event]:
        return self._stop()

    def _stop(self) -> Sequence[Event]:
        self._over = True
        return (*self._close_all(), MessageStop(self._finish, extra=self._extra))

    def _error(self, fields: Fields, _: bytes) -> Sequence[Event]:
        return self._break_off(read_told(fields))

    def _break_off(self, error: GatewayError) -> Sequence[Event]:
        self._over = True
        self._open.clear()
        return (StreamError(error),)

    def _ping(self, _: Fields, __: bytes) -> Sequence[Event]:
        return _NOTHING


def _text(block: _Open, delta: Delta) -> Sequence[Event]:
    return (TextDelta(block.index, delta.text),)


def _thinking(block: _Open, delta: Delta) -> Sequence[Event]:
    return (ReasoningDelta(block.index, delta.thinking),)


def _signature(block: _Open, delta: Delta) -> Sequence[Event]:
    proof: Signature | None = read_signature(delta.signature)
    return _NOTHING if proof is None else (SignatureDelta(block.index, proof),)


def _arguments(block: _Open, delta: Delta) -> Sequence[Event]:
    if not delta.partial_json:
        return _NOTHING
    block.pending = ""
    return (ArgumentsDelta(block.index, delta.partial_json),)


_DELTAS: Mapping[tuple[BlockKind, str], Callable[[_Open, Delta], Sequence[Event]]] = {
    (BlockKind.TEXT, "text_delta"): _text,
    (BlockKind.REASONING, "thinking_delta"): _thinking,
    (BlockKind.REASONING, "signature_delta"): _signature,
    (BlockKind.TOOL_CALL, "input_json_delta"): _arguments,
}
_EVENTS: Mapping[str, Callable[[MessagesReader, Fields, bytes], Sequence[Event]]] = {
    "message_start": MessagesReader._start,
    "content_block_start": MessagesReader._block_start,
    "content_block_delta": MessagesReader._block_delta,
    "content_block_stop": MessagesReader._block_stop,
    "message_delta": MessagesReader._message_delta,
    "message_stop": MessagesReader._message_stop,
    "error": MessagesReader._error,
    "ping": MessagesReader._ping,
}
_INSIDE = frozenset(_EVENTS) - {"message_start", "error", "ping"}
_BLOCKS: Mapping[str, Callable[[MessagesReader, int, int, Fields], Sequence[Event]]] = {
    "text": MessagesReader._begin_text,
    "thinking": MessagesReader._begin_thought,
    "redacted_thinking": MessagesReader._begin_redacted,
    "tool_use": MessagesReader._begin_call,
}
_UNOPENED: Mapping[str | None, str] = {"text_delta": "text", "thinking_delta": "thinking"}
"""Deltas whose block a careless host does not open: it is opened for them."""
