"""A streamed answer for Ollama clients: lines whose fixed parts are built once a stream.

The last line is written when all is told, because usage may follow the reason to stop. What a block loses is told
when it ends, by the functions that write a whole answer.

Source: https://docs.ollama.com/api/streaming.
"""

from collections.abc import Callable, Mapping
from typing import Any

from isthmus.core.content import Citation, Reasoning, Refusal, Signature, Text, ToolCall
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
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.ollama.answers import (
    PARTS,
    PATH,
    Form,
    write_end,
    write_line,
    write_logprobs,
    write_whole,
    write_words,
)
from isthmus.dialects.ollama.calls import write_call
from isthmus.dialects.ollama.errors import write_error_event
from isthmus.dialects.ollama.extras import restore
from isthmus.dialects.ollama.metrics import spelled_time, write_finish, write_time, write_usage
from isthmus.dialects.ollama.words import write_thoughts
from isthmus.wire import json

_encode = json.encode
_BLANK = "\x00"
"""Stands where words will be, while the bytes around them are found."""


class _Block:
    """An open block, and what is told of it at its end."""

    __slots__ = ("citations", "pieces", "signature", "start")

    def __init__(self, start: BlockStart) -> None:
        self.start = start
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.signature: Signature | None = None


class LineWriter:
    """Implements StreamWriter. Another candidate than the first is left out, and told as a loss."""

    def __init__(self, form: Form, head: ReplyHead, losses: Losses) -> None:
        self._form = form
        self._reply = head
        self._losses = losses
        self._created: int | None = head.created
        self._head: dict[str, Any] = {"model": head.model, "created_at": write_time(head.created)}
        self._around: dict[BlockKind, tuple[bytes, bytes]] = {}
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._usage: Usage | None = None
        self._stop: MessageStop | None = None
        self._broken = False

    def write(self, event: Event) -> bytes:
        return _WRITERS[type(event)](self, event)

    def end(self) -> bytes:
        if self._broken:
            return b""
        stop = self._stop or MessageStop(None)
        counts = write_usage(self._usage, self._losses)
        word = write_finish(stop.finish, called=self._calls > 0, path=PATH, losses=self._losses)
        head = {**self._head, "created_at": spelled_time(self._created, counts)}
        document = write_line(head, {self._form.words: ""}, self._form)
        document.update(write_end(word, counts))
        restore(document, stop.extra, PATH, self._losses)
        return json.encode_line(document) + b"\n"

    def _begin(self, event: MessageStart) -> bytes:
        self._usage = event.usage
        self._created = self._reply.created if event.created is None else event.created
        self._head["created_at"] = write_time(self._created)
        self._losses.drop_extra(event.extra, "")
        words = self._form.words
        self._around = {
            BlockKind.TEXT: self._frame({words: _BLANK}),
            BlockKind.REFUSAL: self._frame({words: _BLANK}),
            BlockKind.REASONING: self._frame({words: "", "thinking": _BLANK}),
        }
        return b""

    def _frame(self, said: Mapping[str, str]) -> tuple[bytes, bytes]:
        head, _, tail = self._line(said).rpartition(_encode(_BLANK))
        return head, tail

    def _line(self, said: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> bytes:
        document = {**write_line(self._head, said, self._form), "done": False, **(more or {})}
        return json.encode_line(document) + b"\n"

    def _open(self, event: BlockStart) -> bytes:
        if event.candidate:
            self._losses.drop("candidates", "this dialect gives one answer")
        else:
            self._blocks[event.index] = _Block(event)
        return b""

    def _piece(self, event: TextDelta | ReasoningDelta) -> bytes:
        block = self._blocks.get(event.index)
        if block is None or block.start.redacted or not event.text:
            return b""
        head, tail = self._around[block.start.kind]
        return head + _encode(event.text) + tail

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        if (block := self._blocks.get(event.index)) is not None:
            block.pieces.append(event.json)
        return b""

    def _sign(self, event: SignatureDelta) -> bytes:
        if (block := self._blocks.get(event.index)) is not None:
            block.signature = event.signature
        return b""

    def _cite(self, event: CitationDelta) -> bytes:
        if (block := self._blocks.get(event.index)) is not None:
            block.citations.append(event.citation)
        return b""

    def _close(self, event: BlockStop) -> bytes:
        block = self._blocks.pop(event.index, None)
        return b"" if block is None else self._end_block(block)

    def _end_block(self, block: _Block) -> bytes:
        start, losses = block.start, self._losses
        match start.kind:
            case BlockKind.TEXT:
                text = Text("", citations=tuple(block.citations), extra=start.extra)
                write_words(text, start.index, losses)
            case BlockKind.REFUSAL:
                write_words(Refusal(""), start.index, losses)
            case BlockKind.REASONING:
                thought = Reasoning("", block.signature, start.redacted, start.extra)
                write_thoughts([(PARTS, thought)], PATH, losses)
            case BlockKind.TOOL_CALL:
                arguments = "".join(block.pieces)
                return self._call(ToolCall(start.call_id, start.name, arguments, block.signature, extra=start.extra))
        return b""

    def _call(self, call: ToolCall) -> bytes:
        written = write_call(call, PARTS, self._losses, index=self._calls)
        self._calls += 1
        return self._line({self._form.words: "", "tool_calls": [written]})

    def _weigh(self, event: LogprobsDelta) -> bytes:
        told = None if event.candidate else write_logprobs(event.logprobs, self._losses)
        return b"" if told is None else self._line({self._form.words: ""}, {"logprobs": told})

    def _whole(self, event: WholePart) -> bytes:
        if event.candidate:
            self._losses.drop("candidates", "this dialect gives one answer")
            return b""
        images = write_whole(event.part, self._losses)
        return self._line({self._form.words: "", "images": images}) if images else b""

    def _note_stop(self, event: MessageStop) -> bytes:
        if event.candidate == 0:
            self._stop = event
        else:
            self._losses.drop("candidates", "this dialect gives one answer")
        return b""

    def _count(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _foreign(self, event: ForeignEvent) -> bytes:
        self._losses.drop("events", f"an event that only {event.dialect} knows")
        return b""

    def _error(self, event: StreamError) -> bytes:
        self._broken = True
        return write_error_event(event.error)


_WRITERS: Mapping[type, Callable[[LineWriter, Any], bytes]] = {
    TextDelta: LineWriter._piece,
    ReasoningDelta: LineWriter._piece,
    ArgumentsDelta: LineWriter._arguments,
    BlockStart: LineWriter._open,
    BlockStop: LineWriter._close,
    SignatureDelta: LineWriter._sign,
    CitationDelta: LineWriter._cite,
    MessageStart: LineWriter._begin,
    MessageStop: LineWriter._note_stop,
    UsageReport: LineWriter._count,
    LogprobsDelta: LineWriter._weigh,
    WholePart: LineWriter._whole,
    ForeignEvent: LineWriter._foreign,
    StreamError: LineWriter._error,
}
"""Which method writes which event. Of the class and not of each writer, which would hold itself."""
