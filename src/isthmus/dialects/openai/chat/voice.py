"""One candidate of a stream: its open blocks, and why it stopped.

Block boundaries are invented: a text, a refusal or a thought ends where another kind of them or a call begins.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Raw

from isthmus.core.content import Media, Reasoning, Signature, Text
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    LogprobsDelta,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    TextDelta,
    WholePart,
)
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.call_table import CallTable
from isthmus.dialects.openai.chat.citations import read_citation
from isthmus.dialects.openai.chat.content import read_part
from isthmus.dialects.openai.chat.shapes import Choice, Delta
from isthmus.dialects.openai.chat.thinking import vendor_of
from isthmus.dialects.openai.chat.usage import read_finish
from isthmus.wire import json
from isthmus.wire.json import Fields


class Voice:
    """`open` is the index of the open block of `kind`, which is no call; `stopped`: a reason to stop was given."""

    def __init__(self, number: int, reply_id: str, numbers: Callable[[], int]) -> None:
        self.number = number
        self.open: int | None = None
        self.kind = BlockKind.TEXT
        self.stopped = False
        self._next = numbers
        self._calls = CallTable(number, reply_id, numbers)
        self._clear = False
        self._detail: Raw | None = None
        self._word: str | None = None
        self._logprobs: list[dict[str, object]] = []

    def hear(self, choice: Choice, events: list[Event]) -> None:
        """One choice of a chunk."""
        delta = choice.delta
        if delta is not None:
            self._hear_delta(delta, events)
        if choice.logprobs is not None:
            self._logprobs.append({name: json.decode(value) for name, value in choice.logprobs.items()})
        if choice.finish_reason:
            self._word, self.stopped = choice.finish_reason, True
            self._close(events)

    def stop(self, events: list[Event]) -> None:
        """The candidate is complete. Its log probabilities are told at once, as a whole answer tells them."""
        self._close(events)
        if self._logprobs:
            events.append(LogprobsDelta(Foreign(CHAT, _merged(self._logprobs)), self.number))
        events.append(MessageStop(read_finish(self._word, called=self._calls.called), self.number))

    def _hear_delta(self, delta: Delta, events: list[Event]) -> None:
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._hear_thoughts(delta, events)
        if isinstance(delta.content, str):
            if delta.content:
                events.append(TextDelta(self._enter(BlockKind.TEXT, events), delta.content))
        elif delta.content:
            self._hear_parts(delta.content, events)
        if delta.refusal:
            events.append(TextDelta(self._enter(BlockKind.REFUSAL, events), delta.refusal))
        for item in delta.annotations or ():
            events.append(CitationDelta(self._enter(BlockKind.TEXT, events), read_citation(item)))
        for call in delta.tool_calls or ():
            self._leave(events)
            self._calls.hear(call, events)

    def _hear_thoughts(self, delta: Delta, events: list[Event]) -> None:
        """Text and details tell the same; the details add signatures, and thoughts that only a signature stands for."""
        text = delta.reasoning_content or delta.reasoning
        items = [Fields(item, "reasoning_details") for item in delta.reasoning_details or ()]
        if items:
            self._turn_to(items[0].raw("index"), events)
        if text:
            events.append(ReasoningDelta(self._enter(BlockKind.REASONING, events), text))
            self._clear = True
        for number, item in enumerate(items):
            if number:
                self._turn_to(item.raw("index"), events)
            self._hear_detail(item, events, told=bool(text))

    def _turn_to(self, detail: Raw | None, events: list[Event]) -> None:
        """Items of another index belong to another thought."""
        known = detail is not None and self._detail is not None
        if known and detail != self._detail and self.kind is BlockKind.REASONING:
            self._leave(events)
        self._detail = detail

    def _hear_detail(self, item: Fields, events: list[Event], *, told: bool) -> None:
        kind, vendor = item.text("type"), vendor_of(item.text("format"))
        if kind == "reasoning.encrypted":
            self._hear_sealed(Signature(vendor, item.text("data") or ""), events)
            return
        text = item.text("summary" if kind == "reasoning.summary" else "text")
        open_and_clear = self.open is not None and self.kind is BlockKind.REASONING and self._clear
        if text and not told and not open_and_clear:
            events.append(ReasoningDelta(self._enter(BlockKind.REASONING, events), text))
        if proof := item.text("signature"):
            events.append(SignatureDelta(self._enter(BlockKind.REASONING, events), Signature(vendor, proof)))
            self._leave(events)

    def _hear_sealed(self, signature: Signature, events: list[Event]) -> None:
        self._leave(events)
        index = self._next()
        events.append(BlockStart(index, BlockKind.REASONING, redacted=True, candidate=self.number))
        events.append(SignatureDelta(index, signature))
        events.append(BlockStop(index))
        self._detail = None

    def _hear_parts(self, items: Sequence[Raw], events: list[Event]) -> None:
        for item in items:
            match read_part(item, "content"):
                case Text(text=text) if text:
                    events.append(TextDelta(self._enter(BlockKind.TEXT, events), text))
                case Reasoning(text=text) if text:
                    events.append(ReasoningDelta(self._enter(BlockKind.REASONING, events), text))
                case Media() | Foreign() as part:
                    events.append(WholePart(part, self.number))

    def _enter(self, kind: BlockKind, events: list[Event]) -> int:
        """The index of the open block of `kind`, opened if need be."""
        if self.open is not None and self.kind is kind:
            return self.open
        self._leave(events)
        self.open, self.kind, self._clear = self._next(), kind, False
        events.append(BlockStart(self.open, kind, candidate=self.number))
        return self.open

    def _leave(self, events: list[Event]) -> None:
        if self.open is not None:
            events.append(BlockStop(self.open))
            self.open = self._detail = None

    def _close(self, events: list[Event]) -> None:
        self._leave(events)
        self._calls.close(events)


def _merged(pieces: Sequence[Mapping[str, object]]) -> Raw:
    """The log probabilities of the whole candidate: lists of the same name one behind the other."""
    whole: dict[str, object] = {}
    for piece in pieces:
        for name, value in piece.items():
            known = whole.get(name)
            if isinstance(known, list) and isinstance(value, list):
                known.extend(value)
            elif known is None:
                whole[name] = value
    return json.raw(whole)
