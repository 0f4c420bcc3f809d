"""The events of a streamed answer, read from OpenAI and from hosts that resemble it.

Source: the OpenAI API reference, "Streaming events". Items have their own boundaries here; hosts that leave out
some of the events are read by what they do send, down to nothing but the whole answer at the end.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Raw

from isthmus.core.content import Part
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.errors import told_error
from isthmus.dialects.openai.responses.extras import keep
from isthmus.dialects.openai.responses.growing import Growing
from isthmus.dialects.openai.responses.logprobs import as_chat, read_logprobs
from isthmus.dialects.openai.responses.reply import is_failed, read_head
from isthmus.dialects.openai.responses.shapes import ItemEvent, read_delta, read_event
from isthmus.dialects.openai.responses.usage import read_finish, read_usage
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

DONE = b"[DONE]"
TEXT_DELTA = b"response.output_text.delta"
FINAL = ("response.completed", "response.incomplete", "response.done")
"""The last one is what some gateways send in place of the first."""
BEGINNING = ("response.created", "response.in_progress", "response.queued")


class ResponsesReader:
    """Implements StreamReader. `_plain` is the block and the item to which text deltas belong that say nothing else."""

    def __init__(self) -> None:
        self._growing = Growing()
        self._logprobs: list[Raw] = []
        self._started = False
        self._done = False
        self._broken = False

    def read(self, frame: Frame) -> Sequence[Event]:
        if frame.event == TEXT_DELTA and (plain := self._growing.plain) is not None:
            # Most of every stream: one piece of text for the item that is open, and nothing else.
            try:
                delta = read_delta(frame.data)
            except DECODE_ERRORS:
                return self._read_any(frame)
            if delta.delta and delta.output_index == plain[1] and delta.content_index == plain[2]:
                self._growing.said(len(delta.delta))
                return (TextDelta(plain[0], delta.delta),)
        return self._read_any(frame)

    def end(self) -> Sequence[Event]:
        if self._done or self._broken:
            return ()
        return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer was complete"))

    def _read_any(self, frame: Frame) -> Sequence[Event]:
        data = frame.data.strip()
        if self._broken or self._done or not data:
            return ()
        if data == DONE:
            return self.end()
        try:
            json.check_text(data)
            return self._take(read_event(data), frame)
        except (Malformed, *DECODE_ERRORS) as error:
            return self._break(_garbled(str(error)))

    def _take(self, event: ItemEvent, frame: Frame) -> Sequence[Event]:
        kind = event.type or frame.event.decode("utf-8", "replace")
        if kind == "error" or (event.type is None and event.error != json.NULL):
            return self._break(told_error(frame.data))
        if kind in BEGINNING:
            return self._start(event.response)
        if kind in ("response.failed", *FINAL) and event.response != json.NULL:
            return self._finish(event.response)
        events: list[Event] = [] if self._started else list(self._start(json.NULL))
        growth = _GROWTHS.get(kind)
        if growth is None or not growth(self._growing, event, events):
            events.append(ForeignEvent(RESPONSES, Raw(frame.data)))
        elif kind == "response.output_item.done" and b'"logprobs"' in frame.data:
            self._logprobs.extend(read_logprobs(event.item))
        return events

    def _start(self, response: Raw) -> Sequence[Event]:
        if self._started:
            return ()
        self._started = True
        if response == json.NULL:
            return (MessageStart("", "", extra=keep(Fields(b"{}"))),)
        fields = Fields(response, "response")
        head = read_head(fields)
        for name in ("output", "usage", "error", "incomplete_details", "status"):
            fields.raw(name)
        labels = {name: value for name, value in head.labels.items() if name != "status"}
        return (MessageStart(head.id, head.model, head.created, None, keep(fields, labels)),)

    def _finish(self, response: Raw) -> Sequence[Event]:
        fields = Fields(response, "response")
        if fields.look("error") is not None or is_failed(fields.look("status")):
            return self._break(told_error(response))
        events: list[Event] = [] if self._started else list(self._start(response))
        self._growing.finish(events)
        output = fields.raw("output")
        items = [] if output is None else json.read_items(output, "response.output")
        if not self._growing.parts:
            self._growing.tell(items, events)
        logprobs = as_chat(self._logprobs or (one for item in items for one in read_logprobs(item)))
        if logprobs is not None:
            events.append(LogprobsDelta(logprobs))
        if (usage := fields.raw("usage")) is not None:
            events.append(UsageReport(read_usage(usage)))
        parts: Sequence[Part] = self._growing.parts
        finish = read_finish(fields.text("status") or "completed", fields.raw("incomplete_details"), parts)
        events.append(MessageStop(finish))
        self._done = True
        return events

    def _break(self, error: GatewayError) -> Sequence[Event]:
        self._broken, self._growing.plain = True, None
        return (StreamError(error),)


_GROWTHS: Mapping[str, Callable[[Growing, ItemEvent, list[Event]], bool]] = {
    "response.output_item.added": Growing.add,
    "response.output_item.done": Growing.close,
    "response.content_part.added": Growing.open_part,
    "response.content_part.done": Growing.close_part,
    "response.output_text.delta": Growing.text,
    "response.output_text.done": Growing.whole_text,
    "response.output_text.annotation.added": Growing.cite,
    "response.refusal.delta": Growing.refusal,
    "response.refusal.done": Growing.whole_refusal,
    "response.reasoning_summary_part.added": Growing.open_summary,
    "response.reasoning_summary_part.done": Growing.known,
    "response.reasoning_summary_text.delta": Growing.summary,
    "response.reasoning_summary_text.done": Growing.known,
    "response.reasoning_text.delta": Growing.thought,
    "response.reasoning_text.done": Growing.known,
    "response.function_call_arguments.delta": Growing.arguments,
    "response.function_call_arguments.done": Growing.known,
    "response.custom_tool_call_input.delta": Growing.input,
    "response.custom_tool_call_input.done": Growing.known,
}
"""What each event does to the item that it belongs to; False where that item is of a kind only this dialect knows."""


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's stream holds what is no event of a response: {reason}")
