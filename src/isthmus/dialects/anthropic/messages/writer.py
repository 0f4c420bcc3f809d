"""A streamed answer for a client, from events.

Blocks are written strictly one after another, as this dialect's clients expect: of blocks that
grow at the same time the later waits until the earlier has stopped. What ends the message is
written when all is known, since other dialects tell the usage behind the last word.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.content import Media, Reasoning, Signature
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
from isthmus.dialects.anthropic.errors import write_error_event
from isthmus.dialects.anthropic.messages.content import write_signature
from isthmus.dialects.anthropic.messages.ids import message_id
from isthmus.dialects.anthropic.messages.marks import Block, add_extra
from isthmus.dialects.anthropic.messages.reply import (
    note_refusal,
    tell_citation,
    write_finish,
    write_foreign,
    write_thought,
)
from isthmus.dialects.anthropic.messages.usage import write_usage
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.json import Malformed
from isthmus.wire.sse import write_event

_encode = json.encode
_NONE = -1
_BESIDE_DELTA = frozenset({"context_management"})
"""Fields that stand beside `delta` in a `message_delta`; others of the message's end stand in it."""
_DELTA_FIELDS: Mapping[BlockKind, tuple[str, str]] = {
    BlockKind.TEXT: ("text_delta", "text"),
    BlockKind.REFUSAL: ("text_delta", "text"),
    BlockKind.REASONING: ("thinking_delta", "thinking"),
    BlockKind.TOOL_CALL: ("input_json_delta", "partial_json"),
}


class _Growing:
    """A block that has started and not stopped. `held` are its events while another block is being written."""

    __slots__ = ("held", "path", "signature", "start")

    def __init__(self, start: BlockStart, path: str = "") -> None:
        self.start = start
        self.path = path
        self.held: list[Event] = []
        self.signature: Signature | None = None


class MessagesWriter:
    """One stream. What waits is bounded by the answer itself."""

    def __init__(self, head: ReplyHead, losses: Losses) -> None:
        self._about = head
        self._losses = losses
        self._blocks: dict[int, _Growing] = {}
        self._queue: deque[_Growing | Raw] = deque()
        self._current = _NONE
        self._delta = b""
        self._number = 0
        self._parts = 0
        self._usage: Usage | None = None
        self._stop: MessageStop | None = None
        self._calls = self._refused = False

    def write(self, event: Event) -> bytes:
        return _WRITE[type(event)](self, event)

    def end(self) -> bytes:
        """An answer without any block is told as one empty text: clients count on a block."""
        empty = b"" if self._number else self._open(_Growing(BlockStart(0, BlockKind.TEXT))) + self._close()
        finish = self._stop.finish if self._stop is not None else None
        delta: Block = {
            "stop_reason": write_finish(finish, self._losses, calls=self._calls, refused=self._refused),
            "stop_sequence": finish.stop_sequence if finish is not None else None,
        }
        body: Block = {"type": "message_delta", "delta": delta}
        self._add_end(body, delta, self._stop.extra if self._stop is not None else None)
        body["usage"] = write_usage(self._usage or Usage(fresh_input=self._about.input_estimate))
        return empty + _event("message_delta", body) + _event("message_stop", {"type": "message_stop"})

    def _add_end(self, body: Block, delta: Block, extra: Extra | None) -> None:
        if extra is None or extra.dialect != DIALECT:
            self._losses.drop_extra(extra, "candidates[0]")
            return
        for name, value in extra.fields.items():
            (body if name in _BESIDE_DELTA else delta)[name] = value

    def _message_start(self, event: MessageStart) -> bytes:
        self._usage = event.usage
        message: Block = {
            "id": message_id(event.id),
            "type": "message",
            "role": "assistant",
            "model": self._about.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(event.usage or Usage(fresh_input=self._about.input_estimate)),
        }
        add_extra(message, event.extra, "", self._losses)
        return _event("message_start", {"type": "message_start", "message": message})

    def _block_start(self, event: BlockStart) -> bytes:
        if event.candidate:
            self._losses.drop("candidates", "this dialect gives one answer")
            return b""
        self._calls = self._calls or event.kind is BlockKind.TOOL_CALL
        block = self._blocks[event.index] = _Growing(event, self._path())
        if event.kind is BlockKind.REFUSAL:
            self._refused = True
            note_refusal(block.path, self._losses)
        if self._current == _NONE:
            return self._open(block)
        self._queue.append(block)
        return b""

    def _path(self) -> str:
        """Where the part that begins now stands in the answer."""
        self._parts += 1
        return f"candidates[0].parts[{self._parts - 1}]"

    def _open(self, block: _Growing) -> bytes:
        """A redacted thought is told whole when it stops; every other block starts empty and grows."""
        start = block.start
        self._current = start.index
        self._blocks[start.index] = block
        if start.redacted:
            return b""
        word, field = _DELTA_FIELDS[start.kind]
        self._delta = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
            % (self._number, word.encode(), field.encode())
        )
        body = _hollow(start)
        add_extra(body, start.extra, block.path, self._losses)
        return self._start(body)

    def _start(self, block: object) -> bytes:
        return _event(
            "content_block_start", {"type": "content_block_start", "index": self._number, "content_block": block}
        )

    def _told(self, delta: object) -> bytes:
        return _event("content_block_delta", {"type": "content_block_delta", "index": self._number, "delta": delta})

    def _stopped(self) -> bytes:
        data = b'{"type":"content_block_stop","index":%d}' % self._number
        self._number += 1
        return write_event("content_block_stop", data)

    def _text(self, event: TextDelta) -> bytes:
        if event.index != self._current:
            return self._hold(event)
        return self._delta + _encode(event.text) + b"}}\n\n" if event.text else b""

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        if event.index != self._current:
            return self._hold(event)
        return self._delta + _encode(event.text) + b"}}\n\n" if event.text else b""

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        if event.index != self._current:
            return self._hold(event)
        return self._delta + _encode(event.json) + b"}}\n\n" if event.json else b""

    def _hold(self, event: TextDelta | ReasoningDelta | ArgumentsDelta | SignatureDelta | CitationDelta) -> bytes:
        """A block of another candidate is not told at all."""
        block = self._blocks.get(event.index)
        if block is not None:
            block.held.append(event)
        return b""

    def _signature(self, event: SignatureDelta) -> bytes:
        if event.index != self._current:
            return self._hold(event)
        block = self._blocks[event.index]
        if block.start.kind is not BlockKind.REASONING:
            self._losses.drop(f"{block.path}.signature", "a tool call of this dialect carries no signature")
            return b""
        block.signature = event.signature
        return b"" if block.start.redacted else self._sign(event.signature)

    def _sign(self, signature: Signature | None) -> bytes:
        return self._told({"type": "signature_delta", "signature": write_signature(signature)})

    def _citation(self, event: CitationDelta) -> bytes:
        if event.index != self._current:
            return self._hold(event)
        written = tell_citation(event.citation, self._blocks[event.index].path, self._losses)
        return b"" if written is None else self._told({"type": "citations_delta", "citation": written})

    def _block_stop(self, event: BlockStop) -> bytes:
        if event.index == self._current:
            return self._close() + self._drain()
        block = self._blocks.get(event.index)
        if block is not None:
            block.held.append(event)
        return b""

    def _close(self) -> bytes:
        block = self._blocks.pop(self._current)
        self._current = _NONE
        start = block.start
        if start.redacted:
            thought = Reasoning("", block.signature, redacted=True, extra=start.extra)
            return self._start(write_thought(thought, block.path, self._losses)) + self._stopped()
        if start.kind is BlockKind.REASONING and block.signature is None:
            return self._sign(None) + self._stopped()
        return self._stopped()

    def _drain(self) -> bytes:
        """What has waited for the block that stopped, up to the next block that still grows."""
        out: list[bytes] = []
        while self._queue and self._current == _NONE:
            waiting = self._queue.popleft()
            if not isinstance(waiting, _Growing):
                out.append(self._whole(waiting))
                continue
            out.append(self._open(waiting))
            held, waiting.held = waiting.held, []
            out.extend(self._close() if type(event) is BlockStop else self.write(event) for event in held)
        return b"".join(out)

    def _whole_part(self, event: WholePart) -> bytes:
        if event.candidate:
            return b""
        path = self._path()
        if isinstance(event.part, Media):
            self._losses.drop(path, "an answer of this dialect holds no such part")
            return b""
        body = write_foreign(event.part, path, self._losses)
        if body is None:
            return b""
        if self._current == _NONE:
            return self._whole(body)
        self._queue.append(body)
        return b""

    def _whole(self, body: Raw) -> bytes:
        """Clients build a block's input from deltas, and take everything else from its start."""
        fields = json.read_fields(body)
        if "input" not in fields:
            return self._start(fields) + self._stopped()
        told = self._told({"type": "input_json_delta", "partial_json": bytes(fields["input"]).decode()})
        return self._start({**fields, "input": {}}) + told + self._stopped()

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
        name = _name(event.body) if event.dialect == DIALECT else ""
        if not name or name.startswith("content_block"):
            self._losses.drop("events", f"only {event.dialect} knows this event")
            return b""
        return _event(name, event.body)

    def _error(self, event: StreamError) -> bytes:
        return write_error_event(event.error)


def _hollow(start: BlockStart) -> Block:
    match start.kind:
        case BlockKind.TEXT | BlockKind.REFUSAL:
            return {"type": "text", "text": ""}
        case BlockKind.REASONING:
            return {"type": "thinking", "thinking": "", "signature": ""}
        case BlockKind.TOOL_CALL:
            return {"type": "tool_use", "id": start.call_id, "name": start.name, "input": {}}


def _event(name: str, body: object) -> bytes:
    """JSON kept from a pretty-printed answer holds line breaks, which are white space there and the end here."""
    data = _encode(body)
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\n", b" ").replace(b"\r", b" ")
    return write_event(name, data)


def _name(body: Raw) -> str:
    try:
        value = json.read_fields(body).get("type")
    except Malformed:
        return ""
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


# Each method takes the one type of event it stands beside.
_WRITE: Mapping[type, Callable[[MessagesWriter, Any], bytes]] = {
    MessageStart: MessagesWriter._message_start,
    BlockStart: MessagesWriter._block_start,
    TextDelta: MessagesWriter._text,
    ReasoningDelta: MessagesWriter._reasoning,
    ArgumentsDelta: MessagesWriter._arguments,
    SignatureDelta: MessagesWriter._signature,
    CitationDelta: MessagesWriter._citation,
    BlockStop: MessagesWriter._block_stop,
    WholePart: MessagesWriter._whole_part,
    LogprobsDelta: MessagesWriter._logprobs,
    UsageReport: MessagesWriter._usage_report,
    MessageStop: MessagesWriter._message_stop,
    StreamError: MessagesWriter._error,
    ForeignEvent: MessagesWriter._foreign,
}
