"""An answer that goes on where another broke off.

`Told` follows the events of an answer and knows what was told of it, and whether another model could go on from there;
`resumed` is the request that asks it to, with the text so far as a last turn of the assistant; `Seam` makes the events
of that model's answer the rest of the first. Nothing that was told is told again, and nothing is cut off by guessing:
of the second answer only white space that was told already is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role
from isthmus.core.content import Text
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    SignatureDelta,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.usage import Usage

MOST = 1024 * 1024
"""Characters of an answer that are kept; a longer one is not gone on with."""
CHARACTERS = 4
"""Of text that make about one token, where nobody has counted."""
_OBSTACLES: Mapping[BlockKind, str] = {
    BlockKind.TOOL_CALL: "it had begun to call a tool",
    BlockKind.REFUSAL: "it had declined",
}


class Told:
    """What was told of one answer so far. `usage` is the last picture of it, `next` a number no block has yet.

    It has `started` with its first word, thought or call; it is `over` when it said why it ended.
    """

    __slots__ = ("_obstacle", "_size", "_texts", "next", "open", "over", "started", "usage")

    def __init__(self) -> None:
        self.started = self.over = False
        self.usage: Usage | None = None
        self.next = 0
        self.open: dict[int, BlockKind] = {}
        self._texts: dict[int, list[str]] = {}
        self._size = 0
        self._obstacle: str | None = None

    def take(self, event: Event) -> None:
        """The event is told now."""
        note = _NOTES.get(type(event))
        if note is not None:
            note(self, event)

    @property
    def obstacle(self) -> str | None:
        """Why no other model could go on from here; None where one could."""
        if self._obstacle is None and BlockKind.REASONING in self.open.values():
            return "it was thinking"
        return self._obstacle

    @property
    def open_text(self) -> int | None:
        """The block of text in the middle of which it stands."""
        return next((index for index, kind in self.open.items() if kind is BlockKind.TEXT), None)

    @property
    def length(self) -> int:
        """Characters of text."""
        return self._size

    def begun(self) -> tuple[tuple[str, ...], str]:
        """The texts so far, without the white space at their end, which is the second: no provider takes it there."""
        texts, blank = [text for pieces in self._texts.values() if (text := "".join(pieces))], ""
        while texts:
            bare = texts[-1].rstrip()
            blank = texts[-1][len(bare) :] + blank
            if bare:
                return (*texts[:-1], bare), blank
            texts.pop()
        return (), blank

    def _start(self, event: BlockStart) -> None:
        self.started = self.started or event.kind is not BlockKind.TEXT
        self.next = max(self.next, event.index + 1)
        self.open[event.index] = event.kind
        if event.kind is BlockKind.TEXT:
            self._texts[event.index] = []
        elif event.kind in _OBSTACLES:
            self._hinder(_OBSTACLES[event.kind])
        if event.candidate:
            self._hinder("it is one of several")

    def _text(self, event: TextDelta) -> None:
        self.started = self.started or bool(event.text)
        pieces = self._texts.get(event.index)
        self._size += len(event.text)
        if self._size > MOST:
            self._texts.clear()
            self._hinder("it is too long")
        elif pieces is not None:
            pieces.append(event.text)

    def _sign(self, _: SignatureDelta) -> None:
        self._hinder("it holds a thought that its model has signed")

    def _cite(self, _: CitationDelta) -> None:
        self._hinder("it cites its sources")

    def _whole(self, _: WholePart) -> None:
        self.started = True
        self._hinder("it holds more than text")

    def _weigh(self, _: LogprobsDelta) -> None:
        self.started = True

    def _stop(self, event: BlockStop) -> None:
        self.open.pop(event.index, None)

    def _count(self, event: MessageStart | UsageReport) -> None:
        self.usage = event.usage or self.usage

    def _end(self, _: MessageStop) -> None:
        self.over = True

    def _hinder(self, why: str) -> None:
        self._obstacle = self._obstacle or why


# Each method takes the one type of event it stands beside.
_NOTES: Mapping[type, Callable[[Told, Any], None]] = {
    MessageStart: Told._count,
    UsageReport: Told._count,
    BlockStart: Told._start,
    TextDelta: Told._text,
    SignatureDelta: Told._sign,
    CitationDelta: Told._cite,
    WholePart: Told._whole,
    LogprobsDelta: Told._weigh,
    BlockStop: Told._stop,
    MessageStop: Told._end,
}


def resumed(request: ChatRequest, told: Told) -> ChatRequest:
    """The request for the rest of an answer. A model does not think when it goes on in the middle of one."""
    texts, _ = told.begun()
    left = request.max_output
    if left is not None:
        counted = told.usage.total_output if told.usage is not None else 0
        left = max(1, left - max(counted, told.length // CHARACTERS))
    off = None if request.reasoning is None else ReasoningOptions(ReasoningMode.OFF)
    return replace(request, messages=_with_turn(request.messages, texts), max_output=left, reasoning=off)


def _with_turn(messages: tuple[Message, ...], texts: Sequence[str]) -> tuple[Message, ...]:
    """The conversation with what was said behind it. Where the caller itself began the answer, that goes on."""
    if not texts:
        return messages
    parts = tuple(map(Text, texts))
    last = messages[-1] if messages else None
    if last is None or last.role is not Role.ASSISTANT:
        return (*messages, Message(Role.ASSISTANT, parts))
    begun = last.parts[-1] if last.parts else None
    if isinstance(begun, Text):
        joined = replace(begun, text=begun.text + texts[0])
        return (*messages[:-1], replace(last, parts=(*last.parts[:-1], joined, *parts[1:])))
    return (*messages[:-1], replace(last, parts=(*last.parts, *parts)))


class Seam:
    """Turns the events of another answer into the rest of the one that `told` follows. One for each break.

    Whoever reads through it lets `told` take what comes out, event by event.
    """

    __slots__ = ("_before", "_blank", "_indexes", "_open", "_told")

    def __init__(self, told: Told) -> None:
        self._told = told
        self._before = told.usage
        self._open = told.open_text
        self._indexes: dict[int, int] = {}
        self._blank = told.begun()[1]

    def read(self, event: Event) -> Sequence[Event]:
        """What is to be told for one event of the other answer. Its thoughts are not: they would stand in a text."""
        read = _READS.get(type(event))
        if read is not None:
            return read(self, event)
        number = getattr(event, "index", None)
        if number is None:
            return (event,)
        index = self._indexes.get(number)
        return () if index is None else (replace(event, index=index),)

    def _begin(self, event: MessageStart) -> Sequence[Event]:
        return () if event.usage is None else self._count(UsageReport(event.usage))

    def _count(self, event: UsageReport) -> Sequence[Event]:
        return (UsageReport(event.usage if self._before is None else both(self._before, event.usage)),)

    def _start(self, event: BlockStart) -> Sequence[Event]:
        if event.kind is BlockKind.REASONING:
            return ()
        if event.kind is BlockKind.TEXT and self._open is not None:
            self._indexes[event.index], self._open = self._open, None
            return ()
        self._indexes[event.index] = self._told.next
        return (*self._close(), replace(event, index=self._told.next))

    def _text(self, event: TextDelta) -> Sequence[Event]:
        index = self._indexes.get(event.index)
        text = self._fresh(event.text)
        return () if index is None or not text else (TextDelta(index, text),)

    def _fresh(self, text: str) -> str:
        """The text without the white space at its head that was told already."""
        same = 0
        while same < min(len(text), len(self._blank)) and text[same] == self._blank[same]:
            same += 1
        self._blank = self._blank[same:] if same == len(text) else ""
        return text[same:]

    def _stop(self, event: MessageStop) -> Sequence[Event]:
        return (*self._close(), event)

    def _close(self) -> Sequence[Event]:
        """The block that the other answer did not go on with is over."""
        index, self._open = self._open, None
        return () if index is None else (BlockStop(index),)

    def _drop(self, _: ForeignEvent) -> Sequence[Event]:
        return ()


# As above.
_READS: Mapping[type, Callable[[Seam, Any], Sequence[Event]]] = {
    MessageStart: Seam._begin,
    UsageReport: Seam._count,
    BlockStart: Seam._start,
    TextDelta: Seam._text,
    MessageStop: Seam._stop,
    ForeignEvent: Seam._drop,
}


def both(first: Usage, second: Usage) -> Usage:
    """What two answers came to, input and output: the second was asked with all that the first had said."""
    return Usage(
        fresh_input=first.fresh_input + second.fresh_input,
        cache_read=first.cache_read + second.cache_read,
        cache_write=first.cache_write + second.cache_write,
        output=first.output + second.output,
        reasoning=first.reasoning + second.reasoning,
    )
