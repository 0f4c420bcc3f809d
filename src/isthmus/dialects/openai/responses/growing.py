"""The output of a streamed answer while it grows: which items are open, and which block each of them has.

A text, a refusal, a thought and a call are a block each. Items that only this dialect knows are told when whole.
"""

from collections.abc import Iterable, Sequence
from itertools import count

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Part, Reasoning, Refusal, Text, ToolCall
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    TextDelta,
    WholePart,
)
from isthmus.core.fold import unfold
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.citations import read_citation
from isthmus.dialects.openai.responses.content import read_part
from isthmus.dialects.openai.responses.extras import fields_of, labels_of, take
from isthmus.dialects.openai.responses.items import AROUND, BETWEEN, labelled, read_item
from isthmus.dialects.openai.responses.logprobs import unweighed, without_logprobs
from isthmus.dialects.openai.responses.shapes import ItemEvent
from isthmus.wire import json
from isthmus.wire.json import Fields

_HEAD, _TAIL = '{"input":"', '"}'
"""Around a custom tool's input, as it is told in arguments."""


class _Item:
    """One open item. `length` counts the characters told of the open block, `place` is that of its content."""

    __slots__ = ("around", "block", "cited", "kind", "left", "length", "part", "place", "told", "voice")

    def __init__(self, part: Part | None, around: dict[str, Raw], left: dict[str, Raw]) -> None:
        self.part = part
        self.around = around
        self.left = left
        self.block: int | None = None
        self.kind = BlockKind.TEXT
        self.place = 0
        self.length = 0
        self.cited = 0
        self.told = 0
        self.voice: str | None = None


class Growing:
    """`parts` are stand-ins for what was told, enough to know how the answer ended."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.plain: tuple[int, int, int] | None = None
        self._items: dict[int, _Item] = {}
        self._foreign: set[int] = set()
        self._numbers = count()

    def said(self, length: int) -> None:
        """So many characters more of the plain text."""
        if self.plain is not None:
            self._items[self.plain[1]].length += length

    def add(self, event: ItemEvent, events: list[Event]) -> bool:
        self._end_item(event.output_index, events)
        fields = Fields(event.item, "item")
        match read_item(event.item, "item"):
            case (Foreign(),):
                self._foreign.add(event.output_index)
                return False
            case (ToolCall() as call,):
                item = self._items[event.output_index] = _Item(call, {}, {})
                self._open_call(item, call, events)
            case (Reasoning() as thought,):
                self._items[event.output_index] = _Item(thought, {}, {})
            case _:
                self._items[event.output_index] = _message(fields)
        return True

    def close(self, event: ItemEvent, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        if item is None:
            self._foreign.discard(event.output_index)
            self.tell([event.item], events)
            return True
        match read_item(event.item, "item"):
            case (ToolCall() as call,) if isinstance(item.part, ToolCall):
                self._rest_of_call(item, call, events)
            case (Reasoning() as thought,) if isinstance(item.part, Reasoning):
                self._rest_of_thought(item, thought, events)
            case parts if item.part is None:
                self._rest_of_message(event.output_index, parts, events)
        self._end_item(event.output_index, events)
        return True

    def open_part(self, event: ItemEvent, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        if item is None or item.part is not None:
            return item is not None
        match read_part(event.part, "part"):
            case Text() as text:
                self._open_text(event, BlockKind.TEXT, without_logprobs(text.extra), events)
            case Refusal():
                self._open_text(event, BlockKind.REFUSAL, None, events)
            case _:
                return False
        return True

    def close_part(self, event: ItemEvent, events: list[Event]) -> bool:
        """The whole part: what its deltas left out is told before its block ends."""
        item = self._items.get(event.output_index)
        if item is None or item.part is not None:
            return item is not None
        if event.part != json.NULL and (part := read_part(event.part, "part")) is not None:
            self._rest_of_part(event, part, events)
        self._end_block(item, events)
        return True

    def text(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._say(event, _text(event.delta), BlockKind.TEXT, events)

    def refusal(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._say(event, _text(event.delta), BlockKind.REFUSAL, events)

    def whole_text(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._say_rest(event, _text(event.text), BlockKind.TEXT, events)

    def whole_refusal(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._say_rest(event, _text(event.refusal), BlockKind.REFUSAL, events)

    def cite(self, event: ItemEvent, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        if item is None or item.block is None or item.kind is not BlockKind.TEXT:
            return False
        item.cited += 1
        events.append(CitationDelta(item.block, read_citation(event.annotation, "annotation")))
        return True

    def known(self, event: ItemEvent, _events: list[Event]) -> bool:
        """An event that says again what others said; the end of the item tells what is missing."""
        return event.output_index in self._items

    open_summary = known

    def summary(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._think(event, "summary", event.summary_index or 0, events)

    def thought(self, event: ItemEvent, events: list[Event]) -> bool:
        return self._think(event, "in_full", event.content_index or 0, events)

    def arguments(self, event: ItemEvent, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        if item is None or item.block is None or not isinstance(item.part, ToolCall) or _is_custom(item.part):
            return False
        if piece := _text(event.delta):
            item.length += len(piece)
            events.append(ArgumentsDelta(item.block, piece))
        return True

    def input(self, event: ItemEvent, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        if item is None or item.block is None or not isinstance(item.part, ToolCall) or not _is_custom(item.part):
            return False
        self._say_input(item, item.block, _text(event.delta), events)
        return True

    def finish(self, events: list[Event]) -> None:
        """The answer is over: whatever its provider left open ends."""
        for place in sorted(self._items):
            self._end_item(place, events)

    def tell(self, items: Iterable[Raw], events: list[Event]) -> None:
        """Items that come whole."""
        for item in items:
            for part in read_item(item, "item"):
                self._tell_part(unweighed(part), events)

    def _tell_part(self, part: Part, events: list[Event]) -> None:
        self.parts.append(part)
        number = None
        for event in unfold(ChatReply("", "", (Candidate((part,)),))):
            if isinstance(event, MessageStart | MessageStop):
                continue
            if isinstance(event, WholePart):
                events.append(event)
                continue
            number = next(self._numbers) if number is None else number
            events.append(replace(event, index=number))

    def _open_call(self, item: _Item, call: ToolCall, events: list[Event]) -> None:
        self.parts.append(call)
        item.block, item.kind = next(self._numbers), BlockKind.TOOL_CALL
        labels = {name: value for name, value in labels_of(call.extra).items() if name != "status"}
        extra = Extra(RESPONSES, fields_of(call.extra), labels)
        events.append(BlockStart(item.block, BlockKind.TOOL_CALL, call.id, call.name, extra=extra))
        if _is_custom(call):
            events.append(ArgumentsDelta(item.block, _HEAD))

    def _rest_of_call(self, item: _Item, call: ToolCall, events: list[Event]) -> None:
        if item.block is None:
            return
        if _is_custom(call):
            whole = json.decode(call.arguments.encode())["input"]
            self._say_input(item, item.block, whole[item.length :], events)
        elif rest := call.arguments[item.length :]:
            item.length += len(rest)
            events.append(ArgumentsDelta(item.block, rest))

    def _say_input(self, item: _Item, block: int, text: str, events: list[Event]) -> None:
        if text:
            item.length += len(text)
            events.append(ArgumentsDelta(block, json.encode(text)[1:-1].decode()))

    def _think(self, event: ItemEvent, voice: str, place: int, events: list[Event]) -> bool:
        """A piece of a thought. It is told in one voice, the one that began: in full, or as a summary."""
        item = self._items.get(event.output_index)
        piece = _text(event.delta)
        if item is None or not isinstance(item.part, Reasoning) or item.voice not in (None, voice):
            return False
        if not piece:
            return True
        if item.block is None:
            item.voice = voice
            item.block = self._open_thought(item.part, redacted=False, voice=voice, events=events)
        elif place != item.place:
            events.append(ReasoningDelta(item.block, BETWEEN))
        item.place = place
        events.append(ReasoningDelta(item.block, piece))
        return True

    def _open_thought(self, thought: Reasoning, *, redacted: bool, voice: str | None, events: list[Event]) -> int:
        self.parts.append(thought)
        block = next(self._numbers)
        labels = {name: value for name, value in labels_of(thought.extra).items() if name in ("id", "unsigned")}
        if voice == "in_full":
            labels["in_full"] = Raw(b"true")
        extra = Extra(RESPONSES, fields_of(thought.extra), labels)
        events.append(BlockStart(block, BlockKind.REASONING, redacted=redacted, extra=extra))
        return block

    def _rest_of_thought(self, item: _Item, thought: Reasoning, events: list[Event]) -> None:
        if item.block is None:
            voice = "in_full" if bytes(labels_of(thought.extra).get("content", json.NULL)) not in _EMPTY else None
            item.block = self._open_thought(thought, redacted=thought.redacted, voice=voice, events=events)
            if thought.text:
                events.append(ReasoningDelta(item.block, thought.text))
        if thought.signature is not None:
            events.append(SignatureDelta(item.block, thought.signature))

    def _open_text(self, event: ItemEvent, kind: BlockKind, extra: Extra | None, events: list[Event]) -> _Item:
        """The block of a part of a message, opened unless it is."""
        item = self._items.get(event.output_index)
        if item is None:
            item = self._items[event.output_index] = _Item(None, {}, {})
        place = event.content_index if event.content_index is not None else item.place
        if item.block is not None and item.place == place and item.kind is kind:
            return item
        self._end_block(item, events)
        item.block, item.kind, item.place = next(self._numbers), kind, place
        item.length = item.cited = 0
        self.parts.append(Text("") if kind is BlockKind.TEXT else Refusal(""))
        shown = None if kind is BlockKind.REFUSAL else self._extra_of(item, extra)
        events.append(BlockStart(item.block, kind, extra=shown))
        item.told = max(item.told, place + 1)
        if kind is BlockKind.TEXT:
            self.plain = (item.block, event.output_index, place)
        return item

    def _extra_of(self, item: _Item, extra: Extra | None) -> Extra | None:
        blank = Text("", extra=extra or Extra(RESPONSES, {}))
        if item.told:
            return blank.extra
        first = labelled((blank,), item.around, item.left)[0]
        return first.extra if isinstance(first, Text) else None

    def _say(self, event: ItemEvent, text: str, kind: BlockKind, events: list[Event]) -> bool:
        known = self._items.get(event.output_index)
        if known is not None and known.part is not None:
            return False
        item = self._open_text(event, kind, None, events)
        if text and item.block is not None:
            item.length += len(text)
            events.append(TextDelta(item.block, text))
        return True

    def _say_rest(self, event: ItemEvent, whole: str, kind: BlockKind, events: list[Event]) -> bool:
        item = self._items.get(event.output_index)
        told = item.length if item is not None and item.block is not None else 0
        return self._say(event, whole[told:], kind, events)

    def _rest_of_part(self, event: ItemEvent, part: Part, events: list[Event]) -> None:
        if isinstance(part, Refusal):
            self._say_rest(event, part.text, BlockKind.REFUSAL, events)
        elif isinstance(part, Text):
            self._say_rest(event, part.text, BlockKind.TEXT, events)
            item = self._items[event.output_index]
            if item.block is not None:
                events.extend(CitationDelta(item.block, one) for one in part.citations[item.cited :])
                item.cited = max(item.cited, len(part.citations))

    def _rest_of_message(self, place: int, parts: Sequence[Part], events: list[Event]) -> None:
        """What the events of its parts left out."""
        item = self._items[place]
        for number, part in enumerate(parts):
            if number < item.told - 1 or (number == item.told - 1 and item.block is None):
                continue
            self._rest_of_part(ItemEvent(output_index=place, content_index=number), part, events)
            if isinstance(part, Foreign):
                self._tell_part(part, events)

    def _end_block(self, item: _Item, events: list[Event]) -> None:
        if item.block is None:
            return
        if self.plain is not None and self.plain[0] == item.block:
            self.plain = None
        if isinstance(item.part, ToolCall) and _is_custom(item.part):
            events.append(ArgumentsDelta(item.block, _TAIL))
        events.append(BlockStop(item.block))
        item.block = None

    def _end_item(self, place: int, events: list[Event]) -> None:
        item = self._items.get(place)
        if item is not None:
            self._end_block(item, events)
            del self._items[place]


_EMPTY = (b"null", b"[]")


def _message(fields: Fields) -> _Item:
    for name in ("role", "content"):
        fields.raw(name)
    around = take(fields, AROUND)
    around.pop("status", None)
    return _Item(None, around, dict(fields_of(fields.rest(RESPONSES))))


def _is_custom(call: ToolCall) -> bool:
    return "custom" in labels_of(call.extra)


def _text(value: Raw) -> str:
    """The string; nothing in place of anything else."""
    return str(json.decode(value)) if value != json.NULL and json.is_text(value) else ""
