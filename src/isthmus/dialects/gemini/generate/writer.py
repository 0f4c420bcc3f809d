"""Events into the chunks of a stream, for a client.

A call is told when all of it has come: clients of this dialect put no arguments together. The last chunk tells why
the answer ended, what it cost, and where it comes from; it has a part, as clients take one without for an empty answer.

Source: https://ai.google.dev/api/generate-content (streamGenerateContent).
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.content import Citation, Reasoning, Signature, ToolCall
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
from isthmus.dialects.gemini.errors import write_error
from isthmus.dialects.gemini.generate.finish import is_blocked, write_finish
from isthmus.dialects.gemini.generate.frames import ArrayFrames, EventFrames
from isthmus.dialects.gemini.generate.grounding import Cited
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import drop_foreign, own_fields, own_labels
from isthmus.dialects.gemini.generate.reply import FEEDBACK, about, add_candidate_extra, add_citations, add_logprobs
from isthmus.dialects.gemini.generate.tell import note_refusal, tell_call, tell_part, tell_thought
from isthmus.dialects.gemini.generate.usage import write_usage
from isthmus.dialects.gemini.words import DIALECT

_EMPTY = Raw(b'{"text":""}')


class _Growing:
    """A block that has started. `pieces` are the arguments of a call.

    `first` is the number of pieces that its candidate had said before it; `text` is known when it has stopped.
    """

    __slots__ = ("extra", "first", "path", "pieces", "signature", "start", "text")

    def __init__(self, start: BlockStart, path: str, first: int) -> None:
        self.start = start
        self.first = first
        self.text = ""
        self.path = path
        self.extra = start.extra
        self.pieces: list[str] = []
        self.signature: Signature | None = None


class _Candidate:
    """What is known of one candidate until its end. `said` is its text so far, in which citations have their places."""

    __slots__ = ("calls", "cited", "logprobs", "parts", "refused", "said", "stop")

    def __init__(self) -> None:
        self.parts = 0
        self.said: list[str] = []
        self.cited: list[tuple[_Growing, Citation]] = []
        self.logprobs: list[Foreign] = []
        self.calls = self.refused = False
        self.stop: MessageStop | None = None


class GenerateWriter:
    """One stream. What waits is bounded by the answer itself."""

    def __init__(self, head: ReplyHead, losses: Losses, frames: EventFrames | ArrayFrames) -> None:
        self._head = head
        self._losses = losses
        self._frames = frames
        self._encode = frames.encode
        self._blocks: dict[int, _Growing] = {}
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Usage | None = None
        self._own: Mapping[str, Raw] = {}
        self._about: Block = {}
        self._ending = b""

    def write(self, event: Event) -> bytes:
        return _WRITE[type(event)](self, event)

    def end(self) -> bytes:
        """One chunk for the end of every candidate."""
        body: Block = {}
        blocked = is_blocked(self._own.get(FEEDBACK)) and not any(one.parts for one in self._candidates.values())
        if not blocked:
            body["candidates"] = [self._ended(number, one) for number, one in sorted(self._candidates.items())]
        body.update(self._own)
        if self._usage is not None:
            body["usageMetadata"] = write_usage(self._usage, self._losses)
        return self._frames.chunk(self._encode({**body, **self._about})) + self._frames.close()

    def _ended(self, number: int, candidate: _Candidate) -> Block:
        path, losses = f"candidates[{number}]", self._losses
        finish = candidate.stop.finish if candidate.stop is not None else None
        body: Block = {
            "content": {"parts": [_EMPTY], "role": "model"},
            "finishReason": write_finish(finish, number, losses, calls=candidate.calls, refused=candidate.refused),
            "index": number,
        }
        for logprobs in candidate.logprobs:
            add_logprobs(body, logprobs, path, losses)
        add_candidate_extra(body, candidate.stop.extra if candidate.stop is not None else None, path, losses)
        cited = [Cited(block.text, one, "".join(candidate.said[: block.first])) for block, one in candidate.cited]
        add_citations(body, cited)
        return body

    def _message_start(self, event: MessageStart) -> bytes:
        created = event.created if event.created is not None else self._head.created
        self._about = about(self._head.model, created, event.id, own_labels(event.extra))
        self._ending = b"," + self._encode(self._about)[1:]
        self._usage = event.usage
        self._own = own_fields(event.extra)
        drop_foreign(event.extra, "", self._losses)
        return self._chunk(0, self._encode(_EMPTY)) if self._frames.opens else b""

    def _chunk(self, candidate: int, part: bytes) -> bytes:
        return self._frames.chunk(
            b'{"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d}]%b' % (part, candidate, self._ending)
        )

    def _of(self, number: int) -> _Candidate:
        known = self._candidates.get(number)
        if known is None:
            known = self._candidates[number] = _Candidate()
        return known

    def _path(self, number: int) -> str:
        """Where the part that begins now stands in the answer."""
        candidate = self._of(number)
        candidate.parts += 1
        return f"candidates[{number}].parts[{candidate.parts - 1}]"

    def _block_start(self, event: BlockStart) -> bytes:
        path = self._path(event.candidate)
        block = self._blocks[event.index] = _Growing(event, path, len(self._of(event.candidate).said))
        if event.kind is BlockKind.TOOL_CALL:
            self._of(event.candidate).calls = True
        if event.kind is BlockKind.REFUSAL:
            self._of(event.candidate).refused = True
            note_refusal(block.path, self._losses)
        if event.kind is BlockKind.TEXT and event.extra is not None and event.extra.dialect != DIALECT:
            self._losses.drop_extra(event.extra, block.path)
            block.extra = None
        return b""

    def _text(self, event: TextDelta) -> bytes:
        if not event.text:
            return b""
        block = self._blocks[event.index]
        self._of(block.start.candidate).said.append(event.text)
        return self._chunk(block.start.candidate, self._piece({"text": event.text}, block))

    def _piece(self, part: Block, block: _Growing) -> bytes:
        """The first piece of a block carries what only this dialect knows of it."""
        if block.extra is not None:
            part.update(block.extra.fields)
            block.extra = None
        return self._encode(part)

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        if not event.text:
            return b""
        block = self._blocks[event.index]
        thought = Reasoning(event.text, extra=block.extra)
        block.extra = None
        return self._tell(block, tell_thought(thought, block.path, self._losses))

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        self._blocks[event.index].pieces.append(event.json)
        return b""

    def _signature(self, event: SignatureDelta) -> bytes:
        block = self._blocks[event.index]
        if block.start.kind is BlockKind.TOOL_CALL:
            block.signature = event.signature
            return b""
        thought = Reasoning("", event.signature, block.start.redacted, block.extra)
        block.extra = None
        return self._tell(block, tell_thought(thought, block.path, self._losses))

    def _citation(self, event: CitationDelta) -> bytes:
        block = self._blocks[event.index]
        self._of(block.start.candidate).cited.append((block, event.citation))
        return b""

    def _block_stop(self, event: BlockStop) -> bytes:
        block = self._blocks.pop(event.index)
        start = block.start
        if start.kind is BlockKind.TEXT:
            block.text = "".join(self._of(start.candidate).said[block.first :])
        if start.kind is not BlockKind.TOOL_CALL:
            return b""
        call = ToolCall(start.call_id, start.name, "".join(block.pieces), block.signature, extra=start.extra)
        return self._tell(block, tell_call(call, block.path, self._losses))

    def _tell(self, block: _Growing, part: object) -> bytes:
        return self._chunk(block.start.candidate, self._encode(part))

    def _whole_part(self, event: WholePart) -> bytes:
        part = tell_part(event.part, self._path(event.candidate), self._losses)
        return b"" if part is None else self._chunk(event.candidate, self._encode(part))

    def _logprobs(self, event: LogprobsDelta) -> bytes:
        self._of(event.candidate).logprobs.append(event.logprobs)
        return b""

    def _usage_report(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _message_stop(self, event: MessageStop) -> bytes:
        self._of(event.candidate).stop = event
        return b""

    def _foreign(self, event: ForeignEvent) -> bytes:
        if event.dialect == DIALECT:
            return self._frames.chunk(self._encode(event.body))
        self._losses.drop("events", f"only {event.dialect} knows this event")
        return b""

    def _error(self, event: StreamError) -> bytes:
        return self._frames.chunk(write_error(event.error)) + self._frames.close()


# Each method takes the one type of event it stands beside.
_WRITE: Mapping[type, Callable[[GenerateWriter, Any], bytes]] = {
    MessageStart: GenerateWriter._message_start,
    BlockStart: GenerateWriter._block_start,
    TextDelta: GenerateWriter._text,
    ReasoningDelta: GenerateWriter._reasoning,
    ArgumentsDelta: GenerateWriter._arguments,
    SignatureDelta: GenerateWriter._signature,
    CitationDelta: GenerateWriter._citation,
    BlockStop: GenerateWriter._block_stop,
    WholePart: GenerateWriter._whole_part,
    LogprobsDelta: GenerateWriter._logprobs,
    UsageReport: GenerateWriter._usage_report,
    MessageStop: GenerateWriter._message_stop,
    StreamError: GenerateWriter._error,
    ForeignEvent: GenerateWriter._foreign,
}


def write_events(head: ReplyHead, losses: Losses) -> GenerateWriter:
    """As server-sent events."""
    return GenerateWriter(head, losses, EventFrames())


def write_array(head: ReplyHead, losses: Losses) -> GenerateWriter:
    """As one JSON array."""
    return GenerateWriter(head, losses, ArrayFrames())
