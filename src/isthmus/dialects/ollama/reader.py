"""The lines of a streamed answer, read from any server that resembles Ollama.

Every line is an answer of its own that says a little; the last is `done` and tells why, and how many tokens it took.
A call always comes whole.

Source: https://docs.ollama.com/api/streaming.
"""

from collections.abc import Sequence
from itertools import count

from msgspec import Raw

from isthmus.core.content import Media, Part, Reasoning, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.dialects.ollama.answers import Form, Line, read_line
from isthmus.dialects.ollama.errors import told_error
from isthmus.dialects.ollama.extras import kept
from isthmus.dialects.ollama.metrics import read_finish, read_time
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import Malformed


class LineReader:
    """Implements StreamReader. `_open` is the block that grows, `_plain` the same while it is one of text."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._numbers = count()
        self._started = False
        self._over = False
        self._open: tuple[int, BlockKind] | None = None
        self._plain: int | None = None
        self._calls = 0
        self._left: dict[str, Raw] = {}

    def read(self, frame: Frame) -> Sequence[Event]:
        if self._over:
            return ()
        if self._plain is not None and (words := self._form.plain(frame.data)):
            return (TextDelta(self._plain, words),)
        try:
            return self._read(frame)
        except Malformed as error:
            return self._break(GatewayError(Kind.GARBLED, f"the provider's stream holds an odd line: {error.message}"))

    def end(self) -> Sequence[Event]:
        if self._over:
            return ()
        return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer was complete"))

    def _break(self, error: GatewayError) -> Sequence[Event]:
        self._over = True
        return (StreamError(error),)

    def _read(self, frame: Frame) -> Sequence[Event]:
        fields = json.document(frame.data)
        if fields.look("error") is not None:
            return self._break(told_error(frame.data))
        line = read_line(fields, self._form, calls=self._calls)
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(MessageStart("", line.model, read_time(line.created_at)))
        for part in line.parts:
            self._hear(part, events)
        if line.logprobs is not None:
            events.append(LogprobsDelta(line.logprobs))
        self._left.update(line.left)
        if line.done:
            self._finish(line, events)
        return events

    def _hear(self, part: Part, events: list[Event]) -> None:
        match part:
            case Text():
                events.append(TextDelta(self._grow(BlockKind.TEXT, events), part.text))
            case Reasoning():
                events.append(ReasoningDelta(self._grow(BlockKind.REASONING, events), part.text))
            case ToolCall():
                self._close(events)
                self._call(part, events)
            case Media():
                self._close(events)
                events.append(WholePart(part))

    def _grow(self, kind: BlockKind, events: list[Event]) -> int:
        """The open block of this kind; another one ends."""
        if self._open is None or self._open[1] is not kind:
            self._close(events)
            self._open = (next(self._numbers), kind)
            self._plain = self._open[0] if kind is BlockKind.TEXT else None
            events.append(BlockStart(self._open[0], kind))
        return self._open[0]

    def _close(self, events: list[Event]) -> None:
        if self._open is not None:
            events.append(BlockStop(self._open[0]))
        self._open = self._plain = None

    def _call(self, call: ToolCall, events: list[Event]) -> None:
        self._calls += 1
        index = next(self._numbers)
        events.append(BlockStart(index, BlockKind.TOOL_CALL, call.id, call.name, extra=call.extra))
        if call.arguments:
            events.append(ArgumentsDelta(index, call.arguments))
        events.append(BlockStop(index))

    def _finish(self, line: Line, events: list[Event]) -> None:
        self._close(events)
        self._over = True
        if line.usage is not None:
            events.append(UsageReport(line.usage))
        events.append(MessageStop(read_finish(line.word, called=self._calls > 0), extra=kept(self._left)))
