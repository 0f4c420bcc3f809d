"""A streamed answer for OpenAI clients: chunks whose fixed parts are built once a stream.

Source: the OpenAI API reference, "The chat completion chunk object".
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.content import Reasoning
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
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.calls import is_call, write_signature
from isthmus.dialects.openai.chat.citations import write_citation
from isthmus.dialects.openai.chat.extras import is_ours, restore
from isthmus.dialects.openai.chat.reply import shown_id, write_logprobs
from isthmus.dialects.openai.chat.thinking import write_detail
from isthmus.dialects.openai.chat.usage import write_finish, write_usage
from isthmus.dialects.openai.errors import write_error_event
from isthmus.wire import json

_encode = json.encode
_TAIL = b'},"logprobs":null,"finish_reason":null}]}\n\n'
_NAMES = {
    BlockKind.TEXT: b'"content":',
    BlockKind.REFUSAL: b'"refusal":',
    BlockKind.REASONING: b'"reasoning_content":',
}


class _Block:
    """An open block: the bytes before and behind each piece of it, and what was said so far.

    `start` is the offset of a text in its candidate's content; `place` counts calls, and signed thoughts.
    """

    __slots__ = ("candidate", "head", "kind", "length", "pieces", "place", "redacted", "start", "tail")

    def __init__(self, event: BlockStart, head: bytes, tail: bytes, *, place: int, start: int) -> None:
        self.candidate = event.candidate
        self.kind = event.kind
        self.redacted = event.redacted
        self.head = head
        self.tail = tail
        self.place = place
        self.start = start
        self.length = 0
        self.pieces: list[str] = []


class _Told:
    """What one candidate has told: its role, how many calls and thoughts, and how much text."""

    __slots__ = ("calls", "text", "thoughts")

    def __init__(self) -> None:
        self.calls = 0
        self.text = 0
        self.thoughts = 0


class ChatWriter:
    """Implements StreamWriter."""

    def __init__(self, head: ReplyHead, losses: Losses) -> None:
        self._reply = head
        self._losses = losses
        self._fixed: dict[str, Any] = {}
        self._head = b""
        self._blocks: dict[int, _Block] = {}
        self._told: dict[int, _Told] = {}
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
        created = self._reply.created if event.created is None else event.created
        self._fixed = {
            "id": shown_id(event.id, event.extra),
            "object": "chat.completion.chunk",
            "created": created,
            "model": self._reply.model,
        }
        restore(self._fixed, event.extra, "", self._losses)
        self._head = b"data: " + json.encode_line(self._fixed)[:-1] + b',"choices":['
        return self._meet(0)

    def _meet(self, candidate: int) -> bytes:
        """The first chunk of a candidate, which says whose words they are."""
        if candidate in self._told:
            return b""
        self._told[candidate] = _Told()
        return self._chunk(candidate, {"role": "assistant", "content": "", "refusal": None})

    def _chunk(self, candidate: int, delta: object, *, finish: str | None = None, logprobs: Raw | None = None) -> bytes:
        choice = {"index": candidate, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._head + json.encode_line(choice) + b"]}\n\n"

    def _open(self, event: BlockStart) -> bytes:
        first = self._meet(event.candidate)
        told = self._told[event.candidate]
        head = b'%b{"index":%d,"delta":{' % (self._head, event.candidate)
        if event.kind is not BlockKind.TOOL_CALL:
            block = _Block(event, head + _NAMES[event.kind], _TAIL, place=told.thoughts, start=told.text)
            self._blocks[event.index] = block
            return first
        place, told.calls = told.calls, told.calls + 1
        head += b'"tool_calls":[{"index":%d,"function":{"arguments":' % place
        self._blocks[event.index] = _Block(event, head, b"}}]" + _TAIL, place=place, start=0)
        function = {"name": event.name, "arguments": ""}
        call = {"index": place, "id": event.call_id, "type": "function", "function": function}
        return first + self._chunk(event.candidate, {"tool_calls": [call]})

    def _piece(self, event: TextDelta) -> bytes:
        block = self._blocks[event.index]
        text = event.text
        block.length += len(text)
        return block.head + _encode(text) + block.tail

    def _thought(self, event: ReasoningDelta) -> bytes:
        block = self._blocks[event.index]
        block.pieces.append(event.text)
        return block.head + _encode(event.text) + block.tail

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        block = self._blocks[event.index]
        block.length += len(event.json)
        return block.head + _encode(event.json) + block.tail

    def _close(self, event: BlockStop) -> bytes:
        block = self._blocks.pop(event.index)
        if block.kind is BlockKind.TOOL_CALL and not block.length:
            return block.head + b'"{}"' + block.tail
        if block.kind is BlockKind.TEXT:
            self._told[block.candidate].text += block.length
        return b""

    def _sign(self, event: SignatureDelta) -> bytes:
        """A signed thought is told once more, whole, so that a client can hand it back as one item."""
        block = self._blocks[event.index]
        if block.kind is BlockKind.TOOL_CALL:
            signed = write_signature(event.signature, f"candidates[{block.candidate}]", self._losses)
            # AI SDK's openai-compatible refuses a chunk of a call without a function: specimens/signed_call.
            piece = {"index": block.place, "function": {"arguments": ""}, **signed}
            return self._chunk(block.candidate, {"tool_calls": [piece]}) if signed else b""
        self._told[block.candidate].thoughts += 1
        thought = Reasoning("".join(block.pieces), event.signature, block.redacted)
        return self._chunk(block.candidate, {"reasoning_details": [write_detail(thought, block.place)]})

    def _cite(self, event: CitationDelta) -> bytes:
        block = self._blocks[event.index]
        path = f"candidates[{block.candidate}]"
        written = write_citation(event.citation, start=block.start, length=block.length, path=path, losses=self._losses)
        return b"" if written is None else self._chunk(block.candidate, {"annotations": [written]})

    def _weigh(self, event: LogprobsDelta) -> bytes:
        logprobs = write_logprobs(event.logprobs, f"candidates[{event.candidate}]", self._losses)
        if logprobs is None:
            return b""
        return self._meet(event.candidate) + self._chunk(event.candidate, {}, logprobs=logprobs)

    def _whole(self, event: WholePart) -> bytes:
        path, part = f"candidates[{event.candidate}].parts", event.part
        if not isinstance(part, Foreign) or part.dialect != CHAT:
            self._losses.drop(path, "a stream of this dialect cannot hold this part")
            return b""
        delta = {"tool_calls" if is_call(part) else "content": [part.body]}
        return self._meet(event.candidate) + self._chunk(event.candidate, delta)

    def _stop(self, event: MessageStop) -> bytes:
        first = self._meet(event.candidate)
        called, path = self._told[event.candidate].calls > 0, f"candidates[{event.candidate}]"
        word = write_finish(event.finish, called=called, path=path, losses=self._losses)
        if not is_ours(event.extra):
            self._losses.drop_extra(event.extra, path)
        return first if word is None else first + self._chunk(event.candidate, {}, finish=word)

    def _count(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _foreign(self, event: ForeignEvent) -> bytes:
        """A chunk of this dialect that holds nothing we know goes on under the name of this stream."""
        if event.dialect != CHAT:
            self._losses.drop("events", f"an event that only {event.dialect} knows")
            return b""
        named: dict[str, Raw | None] = {n: json.raw(self._fixed[n]) for n in ("id", "model") if n in self._fixed}
        return b"data: " + json.encode_line(Raw(json.splice(bytes(event.body), named))) + b"\n\n"

    def _error(self, event: StreamError) -> bytes:
        self._broken = True
        return write_error_event(event.error)


_WRITERS: Mapping[type, Callable[[ChatWriter, Any], bytes]] = {
    TextDelta: ChatWriter._piece,
    ReasoningDelta: ChatWriter._thought,
    ArgumentsDelta: ChatWriter._arguments,
    BlockStart: ChatWriter._open,
    BlockStop: ChatWriter._close,
    SignatureDelta: ChatWriter._sign,
    CitationDelta: ChatWriter._cite,
    MessageStart: ChatWriter._start,
    MessageStop: ChatWriter._stop,
    UsageReport: ChatWriter._count,
    LogprobsDelta: ChatWriter._weigh,
    WholePart: ChatWriter._whole,
    ForeignEvent: ChatWriter._foreign,
    StreamError: ChatWriter._error,
}
"""Which method writes which event. Of the class and not of each writer, which would hold itself."""
