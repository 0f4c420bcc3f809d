"""A streamed answer of a provider, as events.

Every chunk is an answer of its own, with a piece of each candidate. There are no block boundaries and no end mark: a
block goes on until a part of another sort comes, and the answer is over when the provider closes, after a reason.

Source: https://ai.google.dev/api/generate-content (streamGenerateContent).
"""

from collections.abc import Iterator, Sequence

from msgspec import Raw

from isthmus.core.content import Media, Part, Reasoning, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
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
from isthmus.core.reply import Finish
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.errors import read_told
from isthmus.dialects.gemini.generate.content import is_seal, read_part
from isthmus.dialects.gemini.generate.finish import BLOCKED, is_blocked, read_finish
from isthmus.dialects.gemini.generate.grounding import read_citations
from isthmus.dialects.gemini.generate.partial import PartialArguments
from isthmus.dialects.gemini.generate.reply import (
    FEEDBACK,
    candidate_extra,
    fields_of,
    labelled,
    namer,
    read_time,
)
from isthmus.dialects.gemini.generate.shapes import PlainChunk, read_plain
from isthmus.dialects.gemini.generate.signatures import read_proof
from isthmus.dialects.gemini.generate.usage import read_usage
from isthmus.dialects.gemini.spelling import Camel, whole_object
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Malformed

_NOTHING: Sequence[Event] = ()
_ANSWER = ("candidates", "usageMetadata", FEEDBACK)


class Numbers:
    """Gives every block of a stream an index of its own."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> int:
        self._next += 1
        return self._next - 1


class _Growing:
    """A block of a candidate that is open. `texts` are its pieces, in which places are told in bytes at the end."""

    __slots__ = ("index", "kind", "partial", "texts")

    def __init__(self, index: int, kind: BlockKind, partial: PartialArguments | None = None) -> None:
        self.index = index
        self.kind = kind
        self.texts: list[str] = []
        self.partial = partial


class CandidateReader:
    """One candidate of a stream: parts to events.

    `_seals` are the proofs that came with the open text, which waits for what follows: its sources come last.
    """

    def __init__(self, number: int, reply: str, numbers: Numbers) -> None:
        self.number = number
        self.finish: Finish | None = None
        self.kept: dict[str, Raw] = {}
        self._numbers = numbers
        self._name_call = namer(reply, number)
        self._open: _Growing | None = None
        self._seals: list[Reasoning] = []
        self._calls = self._cited = False

    def say(self, text: str) -> Sequence[Event]:
        """A piece of text, which goes on with the open block where that is text."""
        if not text:
            return _NOTHING
        block = self._open
        if block is not None and block.kind is BlockKind.TEXT and not self._seals:
            block.texts.append(text)
            return (TextDelta(block.index, text),)
        return [*self.close(), *self._begin(BlockKind.TEXT), *self.say(text)]

    def read(self, fields: Camel) -> Iterator[Event]:
        """A candidate of a chunk, whose `index` has been taken."""
        content = fields.inner("content")
        if content is not None:
            content.raw("role")
            path = content.at("parts")
            for number, body in enumerate(content.each("parts") or ()):
                yield from self._read_part(body, f"{path}[{number}]")
            self.kept.update({f"content.{name}": v for name, v in fields_of(content.rest(DIALECT)).items()})
        self.finish = read_finish(fields.raw("finishReason"), calls=self._calls) or self.finish
        if (logprobs := fields.raw("logprobsResult")) is not None:
            yield LogprobsDelta(Foreign(DIALECT, logprobs), self.number)
        self.kept.update(fields_of(fields.rest(DIALECT)))

    def close(self) -> Iterator[Event]:
        block, self._open = self._open, None
        if block is not None:
            if block.partial is not None:
                yield ArgumentsDelta(block.index, block.partial.text())
            yield BlockStop(block.index)
        seals, self._seals = self._seals, []
        for seal in seals:
            yield from self._prove(seal)

    def end(self) -> Iterator[Event]:
        """The sources are known when all is said; they belong to the text that is still open."""
        if (block := self._open) is not None and block.kind is BlockKind.TEXT and self.kept:
            for told in read_citations(self.kept, ["".join(block.texts)]):
                self._cited = True
                yield CitationDelta(block.index, told.citation)
        yield from self.close()

    def stop(self) -> MessageStop:
        extra = candidate_extra(self.kept) if self._cited else labelled(self.kept, {})
        return MessageStop(self.finish, self.number, extra)

    def _begin(self, kind: BlockKind, *, redacted: bool = False, extra: Extra | None = None) -> Iterator[Event]:
        self._open = _Growing(self._numbers.take(), kind)
        yield BlockStart(self._open.index, kind, redacted=redacted, candidate=self.number, extra=extra)

    def _read_part(self, body: Raw, path: str) -> Iterator[Event]:
        fields = Camel(body, path)
        if "functionCall" in fields.names() and (call := _piece_of_call(fields)) is not None:
            yield from self._read_piece(call, fields)
            return
        for part in read_part(body, path, self._name_call):
            yield from self._tell(part)

    def _tell(self, part: Part) -> Iterator[Event]:
        match part:
            case Text():
                if part.extra is not None:
                    yield from self.close()
                    yield from self._begin(BlockKind.TEXT, extra=part.extra)
                yield from self.say(part.text)
            case Reasoning():
                yield from self._think(part)
            case ToolCall():
                yield from self._call(part)
            case Media() | Foreign():
                yield from self.close()
                yield WholePart(part, self.number)
            case _:
                pass

    def _prove(self, seal: Reasoning) -> Iterator[Event]:
        index = self._numbers.take()
        yield BlockStart(index, BlockKind.REASONING, redacted=True, candidate=self.number, extra=seal.extra)
        if seal.signature is not None:
            yield SignatureDelta(index, seal.signature)
        yield BlockStop(index)

    def _think(self, thought: Reasoning) -> Iterator[Event]:
        """A signature closes the thought that it is for; one without text is for the open thought, where there is."""
        block = self._open
        if is_seal(thought):
            if block is None or block.kind is not BlockKind.TEXT:
                yield from self.close()
                yield from self._prove(thought)
            else:
                self._seals.append(thought)
            return
        goes_on = block is not None and block.kind is BlockKind.REASONING
        if thought.redacted or thought.extra is not None or not goes_on:
            yield from self.close()
            yield from self._begin(BlockKind.REASONING, redacted=thought.redacted, extra=thought.extra)
        if self._open is None:
            return
        index = self._open.index
        if thought.text:
            yield ReasoningDelta(index, thought.text)
        if thought.signature is not None:
            yield SignatureDelta(index, thought.signature)
        if thought.signature is not None:
            yield from self.close()

    def _call(self, call: ToolCall) -> Iterator[Event]:
        yield from self.close()
        self._calls = True
        index = self._numbers.take()
        yield BlockStart(index, BlockKind.TOOL_CALL, call.id, call.name, candidate=self.number, extra=call.extra)
        if call.arguments:
            yield ArgumentsDelta(index, call.arguments)
        if call.signature is not None:
            yield SignatureDelta(index, call.signature)
        yield BlockStop(index)

    def _read_piece(self, call: Camel, fields: Camel) -> Iterator[Event]:
        """A call whose arguments come in pieces: its start, which names it, or something of what follows."""
        name = call.text("name")
        if name:
            yield from self.close()
            yield from self._open_call(call, name, fields)
        block = self._open
        if block is None or block.partial is None:
            raise Malformed("a piece of arguments came before the call that they are for", fields.path)
        for number, piece in enumerate(call.each("partialArgs") or ()):
            block.partial.add(Camel(piece, f"{fields.path}.partialArgs[{number}]"))
        if not call.flag("willContinue"):
            yield from self.close()

    def _open_call(self, call: Camel, name: str, fields: Camel) -> Iterator[Event]:
        self._calls = True
        index = self._numbers.take()
        self._open = _Growing(index, BlockKind.TOOL_CALL, PartialArguments(call.raw("args")))
        identity = self._name_call(call.text("id"), name, "")
        signature = read_proof(fields.text("thoughtSignature")).signature
        yield BlockStart(index, BlockKind.TOOL_CALL, identity, name, candidate=self.number)
        if signature is not None:
            yield SignatureDelta(index, signature)


def _piece_of_call(fields: Camel) -> Camel | None:
    """The call, if it is told in pieces; None for one that comes whole."""
    body = fields.look("functionCall")
    if body is None:
        return None
    call = Camel(body, fields.path)
    names = call.names()
    return None if "name" in names and names.isdisjoint(("willContinue", "partialArgs")) else call


class GenerateReader:
    """One stream."""

    def __init__(self) -> None:
        self._candidates: dict[int, CandidateReader] = {}
        self._numbers = Numbers()
        self._reply = ""
        self._usage: Raw | None = None
        self._told: Raw | None = None
        self._started = self._over = self._blocked = False

    def read(self, frame: Frame) -> Sequence[Event]:
        if self._started and not self._over:
            try:
                return self._read_plain(read_plain(frame.data))
            except DECODE_ERRORS:
                pass
        return self._read_any(frame.data)

    def end(self) -> Sequence[Event]:
        if self._over:
            return _NOTHING
        self._over = True
        try:
            events = list(self._end())
        except (Malformed, *DECODE_ERRORS):
            return self._break_off(GatewayError(Kind.GARBLED, "the provider's stream: arguments that are no JSON"))
        return events

    def _end(self) -> Iterator[Event]:
        stopped = [one for one in self._candidates.values() if one.finish is not None]
        if not stopped and not self._blocked:
            yield from self._report()
            yield StreamError(GatewayError(Kind.CUT_SHORT, "the provider's answer broke off before its end"))
            return
        for candidate in self._candidates.values():
            yield from candidate.end()
        yield from self._report()
        if self._candidates:
            yield from (candidate.stop() for candidate in self._candidates.values())
        else:
            yield MessageStop(BLOCKED)

    def _report(self) -> Iterator[Event]:
        """What it cost, where that is not what was told at the start."""
        if self._started and self._usage is not None and self._usage != self._told:
            usage = read_usage(self._usage)
            if usage is not None:
                yield UsageReport(usage)

    def _read_plain(self, chunk: PlainChunk) -> Sequence[Event]:
        self._count(chunk.usageMetadata)
        said = chunk.candidates[0]
        candidate = self._candidates.get(said.index) or self._candidate(said.index)
        return candidate.say(said.content.parts[0].text)

    def _read_any(self, data: bytes) -> Sequence[Event]:
        if self._over or data.strip() == b"[DONE]":
            return _NOTHING
        try:
            fields = whole_object(data)
            if fields.look("error") is not None:
                return self._break_off(read_told(fields))
            if fields.names().isdisjoint(_ANSWER):
                return (ForeignEvent(DIALECT, Raw(data)),)
            return list(self._read_chunk(fields))
        except (Malformed, *DECODE_ERRORS) as error:
            told = error.message if isinstance(error, Malformed) else str(error)
            return self._break_off(GatewayError(Kind.GARBLED, f"the provider's stream: {told}"))

    def _read_chunk(self, fields: Camel) -> Iterator[Event]:
        items = fields.each("candidates") or ()
        self._count(fields.raw("usageMetadata"))
        self._blocked = self._blocked or is_blocked(fields.look(FEEDBACK))
        yield from self._begin(fields)
        for number, item in enumerate(items):
            candidate = Camel(item, f"candidates[{number}]")
            index = candidate.integer("index")
            place = number if index is None else index
            yield from (self._candidates.get(place) or self._candidate(place)).read(candidate)

    def _begin(self, fields: Camel) -> Iterator[Event]:
        identity, model = fields.text("responseId") or "", fields.text("modelVersion") or ""
        created, labels = read_time(fields)
        extra = fields.rest(DIALECT)
        if not self._started:
            self._started = True
            self._reply = identity
            usage, self._told = read_usage(self._usage), self._usage
            yield MessageStart(identity, model, created, usage, labelled(fields_of(extra), labels))
        elif extra is not None:
            yield ForeignEvent(DIALECT, json.raw(extra.fields))

    def _candidate(self, index: int) -> CandidateReader:
        reader = self._candidates[index] = CandidateReader(index, self._reply, self._numbers)
        return reader

    def _count(self, usage: Raw | None) -> None:
        """The last that counts anything is the whole bill."""
        if usage is not None and usage != json.NULL and _COUNT in bytes(usage):
            self._usage = usage

    def _break_off(self, error: GatewayError) -> Sequence[Event]:
        self._over = True
        return (*self._report(), StreamError(error))


_COUNT = b"oken"
"""In the name of every count, in either spelling."""
