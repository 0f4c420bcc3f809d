"""A streamed answer for a client, from events.

Blocks keep the order in which they began; their numbers tell the pieces of several apart, so none waits for another.
A block whose every piece was empty is told by one empty piece. What ends the message is written when all is known.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.content import Media
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.losses import Losses
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.bedrock.converse.blocks import write_redacted
from isthmus.dialects.bedrock.converse.marks import Block, own_labels, write_foreign
from isthmus.dialects.bedrock.converse.reply import (
    note_refusal,
    tell_citation,
    tell_strange_proof,
    write_finish,
    write_model_fields,
    write_picture,
)
from isthmus.dialects.bedrock.converse.usage import write_usage
from isthmus.dialects.bedrock.errors import write_error_event
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.event_stream import write_event
from isthmus.wire.json import Malformed

_AT_STOP = frozenset({"stopReason", "additionalModelResponseFields"})
"""Fields that `messageStop` tells; the others of a message's end stand in `metadata`."""
_PIECES = ("input", "content", "source", "error")
"""What of a whole item comes as a delta, and not in its start."""


class _Growing:
    """A block that has started and not stopped."""

    __slots__ = ("number", "path", "spoken", "start")

    def __init__(self, start: BlockStart, number: int, path: str) -> None:
        self.start = start
        self.number = number
        self.path = path
        self.spoken = False


class ConverseWriter:
    """One stream."""

    def __init__(self, _: ReplyHead, losses: Losses) -> None:
        self._losses = losses
        self._blocks: dict[int, _Growing] = {}
        self._next = self._parts = 0
        self._usage: Usage | None = None
        self._stop: MessageStop | None = None
        self._calls = False

    def write(self, event: Event) -> bytes:
        return _WRITE[type(event)](self, event)

    def end(self) -> bytes:
        finish = self._stop.finish if self._stop is not None else None
        extra = self._stop.extra if self._stop is not None else None
        stop: Block = {
            "stopReason": write_finish(finish, self._losses, calls=self._calls),
            **write_model_fields(finish),
        }
        last: Block = {} if self._usage is None else {"usage": write_usage(self._usage, self._losses)}
        if extra is not None and extra.dialect == DIALECT:
            for name, value in (*extra.fields.items(), *extra.labels.items()):
                (stop if name in _AT_STOP else last)[name] = value
        else:
            self._losses.drop_extra(extra, "candidates[0]")
        return _event("messageStop", stop) + (_event("metadata", last) if last else b"")

    def _message_start(self, event: MessageStart) -> bytes:
        self._usage = event.usage
        body: Block = {"role": "assistant"}
        self._add(body, event.extra, "")
        return _event("messageStart", body)

    def _add(self, body: Block, extra: Extra | None, path: str) -> None:
        if extra is not None and extra.dialect == DIALECT:
            body.update(extra.fields)
        else:
            self._losses.drop_extra(extra, path)

    def _number(self) -> int:
        """What the next block is called on the wire, where those that cannot be told leave no gap."""
        self._next += 1
        return self._next - 1

    def _path(self) -> str:
        """Where the part that begins now stands in the answer."""
        self._parts += 1
        return f"candidates[0].parts[{self._parts - 1}]"

    def _block_start(self, event: BlockStart) -> bytes:
        """Only a call is announced; what else a block of this dialect carries cannot be streamed."""
        if event.candidate:
            self._losses.drop("candidates", "this dialect gives one answer")
            return b""
        block = self._blocks[event.index] = _Growing(event, self._number(), self._path())
        if event.kind is BlockKind.TOOL_CALL:
            self._calls = True
            call: Block = {"toolUseId": event.call_id, "name": event.name, **own_labels(event.extra)}
            self._add(call, event.extra, block.path)
            return _start(block.number, {"toolUse": call})
        if event.kind is BlockKind.REFUSAL:
            note_refusal(block.path, self._losses)
        if event.extra is not None:
            self._losses.drop_extra(event.extra, block.path)
        return b""

    def _told(self, index: int, delta: Callable[[str], Block], text: str) -> bytes:
        block = self._blocks.get(index)
        if block is None or not text:
            return b""
        block.spoken = True
        return _delta(block.number, delta(text))

    def _text(self, event: TextDelta) -> bytes:
        return self._told(event.index, _as_text, event.text)

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._told(event.index, _as_thought, event.text)

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        return self._told(event.index, _as_input, event.json)

    def _signature(self, event: SignatureDelta) -> bytes:
        block = self._blocks.get(event.index)
        if block is None:
            return b""
        if block.start.kind is not BlockKind.REASONING:
            self._losses.drop(f"{block.path}.signature", "a tool call of this dialect carries no signature")
            return b""
        if event.signature.vendor not in (CLAUDE, DIALECT):
            tell_strange_proof(block.path, self._losses)
            return b""
        block.spoken = True
        if block.start.redacted:
            return _delta(block.number, {"reasoningContent": {"redactedContent": write_redacted(event.signature)}})
        return _delta(block.number, {"reasoningContent": {"signature": event.signature.value}})

    def _citation(self, event: CitationDelta) -> bytes:
        block = self._blocks.get(event.index)
        told = None if block is None else tell_citation(event.citation, block.path, self._losses)
        return b"" if block is None or told is None else _delta(block.number, {"citation": told})

    def _block_stop(self, event: BlockStop) -> bytes:
        block = self._blocks.pop(event.index, None)
        if block is None:
            return b""
        if block.start.redacted and not block.spoken:
            self._losses.drop(block.path, "nothing of this thought can be shown")
            return b""
        hollow = b"" if block.spoken else _delta(block.number, _HOLLOW[block.start.kind](""))
        return hollow + _stopped(block.number)

    def _whole_part(self, event: WholePart) -> bytes:
        if event.candidate:
            return b""
        path, part = self._path(), event.part
        if isinstance(part, Media):
            picture = write_picture(part, path, self._losses)
            body = None if picture is None else json.raw(picture)
        else:
            body = write_foreign(part, path, self._losses)
        if body is None:
            return b""
        fields = json.read_fields(body)
        word = next((one for one in _WHOLE if one in fields and json.is_object(fields[one])), None)
        if word is None:
            self._losses.drop(path, "this dialect has no way to stream the item")
            return b""
        return _whole(self._number(), word, fields[word])

    def _usage_report(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _message_stop(self, event: MessageStop) -> bytes:
        if not event.candidate:
            self._stop = event
        return b""

    def _logprobs(self, _: LogprobsDelta) -> bytes:
        self._losses.drop("candidates[0].logprobs", "this dialect tells no probabilities")
        return b""

    def _foreign(self, event: ForeignEvent) -> bytes:
        """An event of this dialect that is newer than this writer; a piece of a block is lost with its number."""
        told = _union(event) if event.dialect == DIALECT else None
        if told is None or told[0].startswith("contentBlock"):
            self._losses.drop("events", f"only {event.dialect} knows this event")
            return b""
        return _event(*told)

    def _error(self, event: StreamError) -> bytes:
        return write_error_event(event.error)


def _as_text(text: str) -> Block:
    return {"text": text}


def _as_thought(text: str) -> Block:
    return {"reasoningContent": {"text": text}}


def _as_input(text: str) -> Block:
    return {"toolUse": {"input": text}}


_HOLLOW: Mapping[BlockKind, Callable[[str], Block]] = {
    BlockKind.TEXT: _as_text,
    BlockKind.REFUSAL: _as_text,
    BlockKind.REASONING: _as_thought,
    BlockKind.TOOL_CALL: _as_input,
}


def _event(name: str, body: object) -> bytes:
    return write_event(name, json.encode(body))


def _start(number: int, start: Block) -> bytes:
    return _event("contentBlockStart", {"start": start, "contentBlockIndex": number})


def _delta(number: int, delta: Block) -> bytes:
    return _event("contentBlockDelta", {"delta": delta, "contentBlockIndex": number})


def _stopped(number: int) -> bytes:
    return _event("contentBlockStop", {"contentBlockIndex": number})


def _whole(number: int, word: str, body: Raw) -> bytes:
    """A provider's own call or result, or a picture: begun, told and stopped."""
    fields = json.read_fields(body)
    start = {name: inner for name, inner in fields.items() if name not in _PIECES}
    delta = _WHOLE[word]({name: inner for name, inner in fields.items() if name in _PIECES})
    return _start(number, {word: start}) + _delta(number, {word: delta}) + _stopped(number)


_WHOLE: Mapping[str, Callable[[dict[str, Raw]], object]] = {
    "toolUse": lambda pieces: {"input": bytes(pieces.get("input", b"{}")).decode()},
    "toolResult": lambda pieces: pieces.get("content", []),
    "image": lambda pieces: pieces,
}


def _union(event: ForeignEvent) -> tuple[str, Raw] | None:
    """The event's name and body, as the reader put them into one object."""
    try:
        return next(iter(json.read_fields(event.body).items()), None)
    except Malformed:
        return None


# Each method takes the one type of event it stands beside.
_WRITE: Mapping[type, Callable[[ConverseWriter, Any], bytes]] = {
    MessageStart: ConverseWriter._message_start,
    BlockStart: ConverseWriter._block_start,
    TextDelta: ConverseWriter._text,
    ReasoningDelta: ConverseWriter._reasoning,
    ArgumentsDelta: ConverseWriter._arguments,
    SignatureDelta: ConverseWriter._signature,
    CitationDelta: ConverseWriter._citation,
    BlockStop: ConverseWriter._block_stop,
    WholePart: ConverseWriter._whole_part,
    LogprobsDelta: ConverseWriter._logprobs,
    UsageReport: ConverseWriter._usage_report,
    MessageStop: ConverseWriter._message_stop,
    StreamError: ConverseWriter._error,
    ForeignEvent: ConverseWriter._foreign,
}
