"""A streamed answer for clients of this dialect: events with consecutive numbers, and every item told whole at its end.

Source: the OpenAI API reference, "Streaming events". A message stays open until something else begins, because
another text may join it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall
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
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.blocks import Block, CallBlock, SaidBlock, ThoughtBlock, Told
from isthmus.dialects.openai.responses.content import is_content
from isthmus.dialects.openai.responses.extras import Written, restore
from isthmus.dialects.openai.responses.failing import broken, event, failure
from isthmus.dialects.openai.responses.frame import Frame, make_frame
from isthmus.dialects.openai.responses.items import around_of, called, write_call
from isthmus.dialects.openai.responses.logprobs import write_logprobs
from isthmus.dialects.openai.responses.names import item_id, wrap_input
from isthmus.dialects.openai.responses.said import Item, finished, first_text, message_item
from isthmus.dialects.openai.responses.usage import COMPLETED, FAILED, Ending, write_finish, write_usage
from isthmus.wire import json

_encode = json.encode


class ResponsesWriter:
    """Implements StreamWriter. `_items` are the items told so far, by their place in the output."""

    def __init__(self, head: ReplyHead, losses: Losses) -> None:
        self._head = head
        self._losses = losses
        self._number = 0
        self._frame: Frame | None = None
        self._items: dict[int, Written] = {}
        self._places = 0
        self._parts = 0
        self._blocks: dict[int, Block] = {}
        self._message: tuple[int, Item] | None = None
        self._parted: dict[int, BlockStart] = {}
        self._foreign: dict[int, int] = {}
        self._held: dict[str, int] = {}
        self._usage: Usage | None = None
        self._ending = Ending(COMPLETED)
        self._more: dict[str, Any] = {}
        self._called = self._refused = self._broken = False

    def write(self, event: Event) -> bytes:
        return _WRITERS[type(event)](self, event)

    def end(self) -> bytes:
        if self._broken:
            return b""
        usage = {} if self._usage is None else {"usage": write_usage(self._usage)}
        status = self._ending.status
        told = self._whole(status, incomplete_details=self._ending.why, **usage, **self._more)
        return self._event("response.completed" if status == COMPLETED else "response.incomplete", response=told)

    def _event(self, name: str, /, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        return event(name, number, **fields)

    def _events(self, told: Iterable[Told]) -> bytes:
        return b"".join([self._event(name, **fields) for name, fields in told])

    def _whole(self, status: str, **more: Any) -> dict[str, Any]:
        """The response object as it stands."""
        frame = self._frame or self._begin("", None)
        return frame.response(status, [self._items[place] for place in sorted(self._items)], **more)

    def _begin(self, id_: str, extra: Extra | None, created: int | None = None) -> Frame:
        head = self._head
        made = head.created if created is None else created
        id_ = id_ or item_id("resp", head.model, made)
        self._frame = make_frame(id_, head.model, made, extra=extra, echo=head.echo, losses=self._losses)
        self._frame.fixed.pop("status", None)
        return self._frame

    def _start(self, event: MessageStart) -> bytes:
        self._usage = event.usage
        self._begin(event.id, event.extra, event.created)
        told = self._whole("in_progress")
        return self._event("response.created", response=told) + self._event("response.in_progress", response=told)

    def _path(self) -> str:
        """The path of the part that begins."""
        number, self._parts = self._parts, self._parts + 1
        return f"candidates[0].parts[{number}]"

    def _place(self, prefix: str) -> tuple[int, str]:
        """The next place in the output, and an id for what stands there."""
        place, self._places = self._places, self._places + 1
        return place, item_id(prefix, self._frame.id if self._frame is not None else "", place)

    def _open(self, event: BlockStart) -> bytes:
        if event.candidate:
            self._losses.drop(f"candidates[{event.candidate}]", "an answer of this dialect has one candidate")
            return b""
        return self._part_said() + self._begun(event, self._path())

    def _begun(self, event: BlockStart, path: str) -> bytes:
        match event.kind:
            case BlockKind.TEXT:
                return self._open_said(event, Text("", extra=event.extra), path)
            case BlockKind.REFUSAL:
                self._refused = True
                return self._open_said(event, Refusal(""), path)
            case BlockKind.REASONING:
                return self._open_thought(event, path)
            case BlockKind.TOOL_CALL:
                return self._open_call(event, path)

    def _part_said(self) -> bytes:
        """What is said stands one behind the other here: a text that is still open is over when another part begins."""
        out = b""
        for index, block in list(self._blocks.items()):
            if isinstance(block, SaidBlock):
                kind = BlockKind.TEXT if isinstance(block.part, Text) else BlockKind.REFUSAL
                self._parted[index] = BlockStart(index, kind)
                out += self._events(self._blocks.pop(index).closing(self._losses))
        return out

    def _go_on(self, index: int) -> bytes:
        """A text that had to make way for another part goes on as a further text."""
        parted = self._parted.pop(index, None)
        return b"" if parted is None else self._open(parted)

    def _open_said(self, event: BlockStart, part: Text | Refusal, path: str) -> bytes:
        before, (place, message) = self._join(part)
        block = SaidBlock(part, message["id"], place, len(message["content"]), path)
        message["content"].append(block.content)
        self._blocks[event.index] = block
        return before + self._event("response.content_part.added", **block.where, part=block.content)

    def _join(self, part: Part) -> tuple[bytes, tuple[int, Item]]:
        """The open message, which is opened unless `part` may join one."""
        around = around_of(part)
        if self._message is not None and around is None:
            return b"", self._message
        before = self._close_message()
        place, id_ = self._place("msg")
        message = message_item(id_, [], around, COMPLETED)
        self._message = place, message
        shown = {**message, "status": "in_progress", "content": []}
        return before + self._event("response.output_item.added", output_index=place, item=shown), self._message

    def _close_message(self, status: str = COMPLETED) -> bytes:
        if self._message is None:
            return b""
        (place, message), self._message = self._message, None
        message["status"] = status
        return self._done(place, message)

    def _done(self, place: int, item: Written) -> bytes:
        self._items[place] = item
        return self._event("response.output_item.done", output_index=place, item=item)

    def _open_thought(self, event: BlockStart, path: str) -> bytes:
        before = self._close_message()
        place, id_ = self._place("rs")
        block = ThoughtBlock(Reasoning("", None, event.redacted, event.extra), id_, place, path)
        self._blocks[event.index] = block
        return before + self._event("response.output_item.added", output_index=place, item=block.begun(self._losses))

    def _open_call(self, event: BlockStart, path: str) -> bytes:
        self._called = True
        before = self._close_message()
        call = ToolCall(event.call_id, event.name, "", extra=event.extra)
        names = self._frame.names if self._frame is not None else {}
        place, _ = self._place("fc")
        seed = self._frame.id if self._frame is not None else ""
        target = called(call, names)
        bare = replace(call, arguments=wrap_input("") if target.custom else "")
        item = finished(write_call(bare, names, path, self._losses), seed, place)
        block = CallBlock(target, item, place, path)
        self._blocks[event.index] = block
        return before + self._event("response.output_item.added", output_index=place, item=block.begun())

    def _piece(self, event: TextDelta | ReasoningDelta) -> bytes:
        before = self._go_on(event.index) if self._parted else b""
        block = self._blocks.get(event.index)
        return before if block is None else before + self._delta(block, event.text)

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        block = self._blocks.get(event.index)
        return b"" if block is None else self._delta(block, event.json)

    def _delta(self, block: Block, piece: str) -> bytes:
        before = b"" if block.pieces else self._events(block.opening())
        block.pieces.append(piece)
        if not block.head:
            return before
        number, self._number = self._number, self._number + 1
        return before + b'%b%d,"delta":%b}\n\n' % (block.head, number, _encode(piece))

    def _close(self, event: BlockStop) -> bytes:
        block = self._blocks.pop(event.index, None)
        self._parted.pop(event.index, None)
        if block is None:
            return b""
        out = self._events(block.closing(self._losses))
        return out if isinstance(block, SaidBlock) else out + self._done(block.place, block.item(self._losses))

    def _sign(self, event: SignatureDelta) -> bytes:
        block = self._blocks.get(event.index)
        if isinstance(block, ThoughtBlock):
            block.signature = event.signature
        elif block is not None:
            self._losses.drop(f"{block.path}.signature", "a call of this dialect cannot carry a signature")
        return b""

    def _cite(self, event: CitationDelta) -> bytes:
        block = self._blocks.get(event.index)
        if not isinstance(block, SaidBlock):
            return b""
        told = block.cite(event.citation, self._losses)
        return b"" if told is None else self._event(told[0], **told[1])

    def _weigh(self, event: LogprobsDelta) -> bytes:
        if event.candidate:
            return b""
        if found := write_logprobs(event.logprobs, "candidates[0]", self._losses):
            told = [self._items[place] for place in sorted(self._items)]
            text = first_text([*told, *([self._message[1]] if self._message is not None else [])])
            if text is None:
                self._losses.drop("candidates[0].logprobs", "an answer without text has no log probabilities")
            else:
                text["logprobs"] = found
        return b""

    def _put(self, event: WholePart) -> bytes:
        part = event.part
        if event.candidate:
            self._losses.drop(f"candidates[{event.candidate}]", "an answer of this dialect has one candidate")
            return b""
        path = self._path()
        if isinstance(part, Media):
            self._losses.drop(path, f"a reply of this dialect holds no {part.kind}")
        elif part.dialect != RESPONSES:
            self._losses.drop(path, f"only {part.dialect} knows this item")
        else:
            return self._put_content(part) if is_content(part) else self._put_item(part)
        return b""

    def _put_content(self, part: Foreign) -> bytes:
        before, (place, message) = self._join(part)
        where = {"item_id": message["id"], "output_index": place, "content_index": len(message["content"])}
        message["content"].append(part.body)
        added = self._event("response.content_part.added", **where, part=part.body)
        return before + added + self._event("response.content_part.done", **where, part=part.body)

    def _put_item(self, part: Foreign) -> bytes:
        place = self._held.pop(_name(json.read_fields(part.body).get("id")), None)
        before = b""
        if place is None:
            before = self._close_message()
            place, _ = self._place("")
            before += self._event("response.output_item.added", output_index=place, item=part.body)
        return before + self._done(place, part.body)

    def _pass(self, event: ForeignEvent) -> bytes:
        """An event of this dialect about an item that only it knows goes on under its number and place here."""
        if event.dialect != RESPONSES:
            self._losses.drop("events", f"an event that only {event.dialect} knows")
            return b""
        fields = json.read_fields(event.body)
        name, before = _name(fields.get("type")), b""
        told = fields.get("output_index")
        place = None if told is None else int(json.decode(told))
        if place is not None and name == "response.output_item.added":
            before = self._close_message()
            self._foreign[place], _ = self._place("")
            held = json.read_fields(fields["item"]).get("id") if "item" in fields else None
            self._held[_name(held)] = self._foreign[place]
        changes = {} if place is None else {"output_index": self._foreign.get(place, place)}
        rest = {key: value for key, value in fields.items() if key not in ("type", "sequence_number")}
        return before + self._event(name or "message", **{**rest, **changes})

    def _stop(self, event: MessageStop) -> bytes:
        if event.candidate:
            return b""
        self._ending = write_finish(
            event.finish, called=self._called, refused=self._refused, path="candidates[0]", losses=self._losses
        )
        restore(self._more, event.extra, "candidates[0]", self._losses)
        return self._close_message(self._ending.status)

    def _count(self, event: UsageReport) -> bytes:
        self._usage = event.usage
        return b""

    def _error(self, event: StreamError) -> bytes:
        self._broken = True
        told = self._whole(FAILED, error=failure(event.error))
        return broken(event.error, self._number, told)


def _name(value: Raw | None) -> str:
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


_WRITERS: Mapping[type, Callable[[ResponsesWriter, Any], bytes]] = {
    TextDelta: ResponsesWriter._piece,
    ReasoningDelta: ResponsesWriter._piece,
    ArgumentsDelta: ResponsesWriter._arguments,
    BlockStart: ResponsesWriter._open,
    BlockStop: ResponsesWriter._close,
    SignatureDelta: ResponsesWriter._sign,
    CitationDelta: ResponsesWriter._cite,
    MessageStart: ResponsesWriter._start,
    MessageStop: ResponsesWriter._stop,
    UsageReport: ResponsesWriter._count,
    LogprobsDelta: ResponsesWriter._weigh,
    WholePart: ResponsesWriter._put,
    ForeignEvent: ResponsesWriter._pass,
    StreamError: ResponsesWriter._error,
}
"""Which method writes which event. Of the class and not of each writer, which would hold itself."""
