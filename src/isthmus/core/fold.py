"""A unary answer is a folded stream, and a stream an unfolded answer. There is no second truth.

`fold(unfold(reply)) == reply` for every reply whose candidates keep their own order.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from isthmus.core.content import (
    Citation,
    Media,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
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
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign

_T = TypeVar("_T")


class _Block:
    """One block while it grows."""

    __slots__ = ("citations", "pieces", "signature", "start")

    def __init__(self, start: BlockStart) -> None:
        self.start = start
        self.pieces: list[str] = []
        self.citations: list[Citation] = []
        self.signature: Signature | None = None

    def part(self) -> Part:
        text = "".join(self.pieces)
        match self.start.kind:
            case BlockKind.TEXT:
                return Text(text, citations=tuple(self.citations), extra=self.start.extra)
            case BlockKind.REASONING:
                return Reasoning(text, self.signature, self.start.redacted, self.start.extra)
            case BlockKind.TOOL_CALL:
                return ToolCall(self.start.call_id, self.start.name, text, self.signature, extra=self.start.extra)
            case BlockKind.REFUSAL:
                return Refusal(text)


class Folder:
    """Gathers events, in any order the grammar allows, into a ChatReply."""

    def __init__(self) -> None:
        self._start: MessageStart | None = None
        self._items: dict[int, list[_Block | Media | Foreign]] = {}
        self._blocks: dict[int, _Block] = {}
        self._stops: dict[int, MessageStop] = {}
        self._logprobs: dict[int, list[Foreign]] = {}
        self._usage: Usage | None = None

    def add(self, event: Event) -> None:
        """Take one event. Raises the error of a StreamError: a broken answer has no folded form."""
        match event:
            case TextDelta() | ReasoningDelta():
                self._blocks[event.index].pieces.append(event.text)
            case ArgumentsDelta():
                self._blocks[event.index].pieces.append(event.json)
            case SignatureDelta():
                self._blocks[event.index].signature = event.signature
            case CitationDelta():
                self._blocks[event.index].citations.append(event.citation)
            case StreamError():
                raise event.error
            case _:
                self._add_frame(event)

    def _add_frame(self, event: Event) -> None:
        match event:
            case BlockStart():
                block = self._blocks[event.index] = _Block(event)
                self._items.setdefault(event.candidate, []).append(block)
            case WholePart():
                self._items.setdefault(event.candidate, []).append(event.part)
            case LogprobsDelta():
                self._logprobs.setdefault(event.candidate, []).append(event.logprobs)
            case MessageStart():
                self._start, self._usage = event, event.usage
            case UsageReport():
                self._usage = event.usage
            case MessageStop():
                self._stops[event.candidate] = event
            case _:
                pass

    def reply(self) -> ChatReply:
        """The whole answer. Raises CUT_SHORT when nothing ever started.

        Candidates stand in the order of their numbers. A number that no event named stands for none: providers choose
        the numbers, and one in the billions must not make billions of candidates.
        """
        if self._start is None:
            raise GatewayError(Kind.CUT_SHORT, "the provider's answer ended before it began")
        numbers = sorted({*self._items, *self._stops} or {0})
        return ChatReply(
            id=self._start.id,
            model=self._start.model,
            candidates=tuple(self._candidate(number) for number in numbers),
            usage=self._usage,
            created=self._start.created,
            extra=self._start.extra,
        )

    def _candidate(self, number: int) -> Candidate:
        items = self._items.get(number, [])
        logprobs = self._logprobs.get(number)
        stop = self._stops.get(number)
        return Candidate(
            parts=tuple(item.part() if isinstance(item, _Block) else item for item in items),
            finish=stop.finish if stop else None,
            logprobs=logprobs[0] if logprobs else None,
            extra=stop.extra if stop else None,
        )


def fold(events: Iterable[Event]) -> ChatReply:
    """The answer that `events` tell. Raises GatewayError for a stream that broke off."""
    folder = Folder()
    for event in events:
        folder.add(event)
    return folder.reply()


def unfold(reply: ChatReply) -> Iterator[Event]:
    """The stream that tells `reply`, one delta a block."""
    yield MessageStart(reply.id, reply.model, reply.created, None, reply.extra)
    index = 0
    for number, candidate in enumerate(reply.candidates):
        for part in candidate.parts:
            yield from _unfold_part(part, index, number)
            index += 1
        if candidate.logprobs is not None:
            yield LogprobsDelta(candidate.logprobs, number)
    if reply.usage is not None:
        yield UsageReport(reply.usage)
    for number, candidate in enumerate(reply.candidates):
        yield MessageStop(candidate.finish, number, candidate.extra)


def _unfold_part(part: Part, index: int, candidate: int) -> Iterator[Event]:
    match part:
        case Text():
            yield BlockStart(index, BlockKind.TEXT, candidate=candidate, extra=part.extra)
            yield from _some(TextDelta(index, part.text), part.text)
            yield from (CitationDelta(index, citation) for citation in part.citations)
        case Reasoning():
            redacted = part.redacted
            yield BlockStart(index, BlockKind.REASONING, redacted=redacted, candidate=candidate, extra=part.extra)
            yield from _some(ReasoningDelta(index, part.text), part.text)
            yield from _signed(index, part.signature)
        case ToolCall():
            yield BlockStart(index, BlockKind.TOOL_CALL, part.id, part.name, candidate=candidate, extra=part.extra)
            yield from _some(ArgumentsDelta(index, part.arguments), part.arguments)
            yield from _signed(index, part.signature)
        case Refusal():
            yield BlockStart(index, BlockKind.REFUSAL, candidate=candidate)
            yield from _some(TextDelta(index, part.text), part.text)
        case ToolResult():
            raise ValueError("a reply holds no tool results of the caller")
        case _:
            yield WholePart(part, candidate)
            return
    yield BlockStop(index)


def _some(event: _T, text: str) -> Sequence[_T]:
    return (event,) if text else ()


def _signed(index: int, signature: Signature | None) -> Sequence[Event]:
    return (SignatureDelta(index, signature),) if signature is not None else ()
