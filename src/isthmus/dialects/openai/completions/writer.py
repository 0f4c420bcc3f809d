"""A streamed completion for its clients: chunks whose fixed parts are built once a stream. `text` is never null.

Source: the OpenAI API reference, "The completion object".
"""

from collections.abc import Callable, Mapping
from typing import Any

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
from isthmus.core.value import Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai import COMPLETIONS
from isthmus.dialects.openai.completions.logprobs import from_chat, length_of
from isthmus.dialects.openai.completions.prompt import echoed, restore
from isthmus.dialects.openai.completions.reply import ECHOED, OBJECT, is_ours, shown_id
from isthmus.dialects.openai.completions.usage import write_finish, write_usage
from isthmus.dialects.openai.errors import write_error_event
from isthmus.wire import json

_encode = json.encode
_TAIL = b',"logprobs":null,"finish_reason":null}]}\n\n'
_LOST: Mapping[BlockKind, str] = {BlockKind.REASONING: "thoughts", BlockKind.TOOL_CALL: "calls"}


class _Block:
    """An open block: the bytes before each piece of it; b"" for one that this dialect cannot say."""

    __slots__ = ("candidate", "head")

    def __init__(self, candidate: int, head: bytes) -> None:
        self.candidate = candidate
        self.head = head


class CompletionWriter:
    """Implements StreamWriter."""

    def __init__(self, head: ReplyHead, losses: Losses) -> None:
        self._reply = head
        self._losses = losses
        self._fixed: dict[str, Any] = {}
        self._head = b""
        self._told = echoed(head.echo)
        self._repeats = False
        self._blocks: dict[int, _Block] = {}
        self._offsets: dict[int, int] = {}
        self._usage: Usage | None = None
        self._broken = False

    def write(self, event: Event) -> bytes:
        return _WRITERS[type(event)](self, event)

    def end(self) -> bytes:
        if self._broken:
            return b""
        last = b"data: [DONE]\n\n"
        if self._usage is None or not self._reply.show_usage:
            return last
        told = {**self._fixed, "choices": [], "usage": write_usage(self._usage)}
        return b"data: " + json.encode_line(told) + b"\n\n" + last

    def _start(self, event: MessageStart) -> bytes:
        self._usage = event.usage
        self._repeats = self._told.wanted and not is_ours(event.extra)
        if self._repeats:
            self._losses.emulate("echo", ECHOED)
        created = self._reply.created if event.created is None else event.created
        self._fixed = {
            "id": shown_id(event.id, event.extra),
            "object": OBJECT,
            "created": created,
            "model": self._reply.model,
        }
        restore(self._fixed, event.extra, self._losses)
        self._head = b"data: " + json.encode_line(self._fixed)[:-1] + b',"choices":['
        return b""

    def _meet(self, candidate: int) -> bytes:
        """The prompt, in front of what a candidate says, where it is to be repeated."""
        if candidate in self._offsets:
            return b""
        prompt = self._told.prompt(candidate)
        self._offsets[candidate] = len(prompt)
        return self._chunk(candidate, prompt) if self._repeats and prompt else b""

    def _chunk(self, candidate: int, text: str, **more: object) -> bytes:
        choice = {"index": candidate, "text": text, "logprobs": None, "finish_reason": None, **more}
        return self._head + json.encode_line(choice) + b"]}\n\n"

    def _open(self, event: BlockStart) -> bytes:
        path = f"candidates[{event.candidate}].parts"
        if event.kind in _LOST:
            self._losses.drop(path, f"a text holds no {_LOST[event.kind]}")
            self._blocks[event.index] = _Block(event.candidate, b"")
            return b""
        if event.kind is BlockKind.REFUSAL:
            self._losses.rewrite(path, "a refusal is told as text")
        self._losses.drop_extra(event.extra, path)
        head = b'%b{"index":%d,"text":' % (self._head, event.candidate)
        self._blocks[event.index] = _Block(event.candidate, head)
        return self._meet(event.candidate)

    def _piece(self, event: TextDelta) -> bytes:
        return self._blocks[event.index].head + _encode(event.text) + _TAIL

    def _nothing(self, _: ReasoningDelta | ArgumentsDelta | SignatureDelta) -> bytes:
        """A piece of what was told as lost when it began."""
        return b""

    def _close(self, event: BlockStop) -> bytes:
        del self._blocks[event.index]
        return b""

    def _cite(self, event: CitationDelta) -> bytes:
        path = f"candidates[{self._blocks[event.index].candidate}].parts"
        self._losses.drop(f"{path}.citations", "a text cites nothing")
        return b""

    def _weigh(self, event: LogprobsDelta) -> bytes:
        first = self._meet(event.candidate)
        path, offset = f"candidates[{event.candidate}]", self._offsets[event.candidate]
        told = from_chat(event.logprobs, offset, path, self._losses)
        self._offsets[event.candidate] += length_of(told)
        return first if told is None else first + self._chunk(event.candidate, "", logprobs=told)

    def _whole(self, event: WholePart) -> bytes:
        part = event.part
        what = f"only {part.dialect} knows this item" if isinstance(part, Foreign) else f"a text holds no {part.kind}"
        self._losses.drop(f"candidates[{event.candidate}].parts", what)
        return b""

    def _stop(self, event: MessageStop) -> bytes:
        path, first = f"candidates[{event.candidate}]", self._meet(event.candidate)
        more: dict[str, Any] = {"finish_reason": write_finish(event.finish, path, self._losses)}
        if event.extra is not None and is_ours(event.extra):
            more = {**event.extra.fields, **more}
        else:
            self._losses.drop_extra(event.extra, path)
        return first + self._chunk(event.candidate, "", **more)

    def _count(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _foreign(self, event: ForeignEvent) -> bytes:
        """A chunk of this dialect that holds nothing we know goes on under the name of this stream."""
        if event.dialect != COMPLETIONS:
            self._losses.drop("events", f"an event that only {event.dialect} knows")
            return b""
        told = json.read_fields(event.body)
        told.update({name: json.raw(self._fixed[name]) for name in ("id", "model") if name in self._fixed})
        return b"data: " + json.encode_line(told) + b"\n\n"

    def _error(self, event: StreamError) -> bytes:
        self._broken = True
        return write_error_event(event.error)


_WRITERS: Mapping[type, Callable[[CompletionWriter, Any], bytes]] = {
    TextDelta: CompletionWriter._piece,
    BlockStart: CompletionWriter._open,
    BlockStop: CompletionWriter._close,
    ReasoningDelta: CompletionWriter._nothing,
    ArgumentsDelta: CompletionWriter._nothing,
    SignatureDelta: CompletionWriter._nothing,
    CitationDelta: CompletionWriter._cite,
    MessageStart: CompletionWriter._start,
    MessageStop: CompletionWriter._stop,
    UsageReport: CompletionWriter._count,
    LogprobsDelta: CompletionWriter._weigh,
    WholePart: CompletionWriter._whole,
    ForeignEvent: CompletionWriter._foreign,
    StreamError: CompletionWriter._error,
}
"""Which method writes which event. Of the class and not of each writer, which would hold itself."""
