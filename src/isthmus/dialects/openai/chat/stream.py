"""The chunks of a streamed answer, read from any host that resembles OpenAI.

Source: the OpenAI API reference, "The chat completion chunk object". Why each candidate stopped is told
when the stream ends, because usage, and a repeated or belated chunk, may follow the one that says so.
"""

from collections.abc import Sequence
from itertools import count

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    BlockKind,
    Event,
    ForeignEvent,
    MessageStart,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.reply import reply_extra
from isthmus.dialects.openai.chat.shapes import Chunk, Delta, JsonObject, read_chunk
from isthmus.dialects.openai.chat.usage import read_usage
from isthmus.dialects.openai.chat.voice import Voice
from isthmus.dialects.openai.errors import told_error
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

DONE = b"[DONE]"
_NOT_KEPT = ("object", "created", "model", "choices", "usage", "x_groq", "obfuscation")
_NOTHING = Delta()


class ChatReader:
    """Implements StreamReader. `_plain` is the block to which a chunk of nothing but text belongs."""

    def __init__(self) -> None:
        self._voices: dict[int, Voice] = {}
        self._numbers = count().__next__
        self._id = ""
        self._started = False
        self._done = False
        self._broken = False
        self._plain: int | None = None
        self._plain_of = 0

    def read(self, frame: Frame) -> Sequence[Event]:
        try:
            chunk = read_chunk(frame.data)
        except DECODE_ERRORS as error:
            return () if self._broken else self._read_odd(frame, error)
        choices = chunk.choices
        if self._plain is not None and choices and len(choices) == 1:
            choice = choices[0]
            delta = choice.delta
            # Most of every stream: one piece of text for the block that is open, and nothing else.
            if (
                delta is not None
                and type(text := delta.content) is str
                and text
                and choice.index == self._plain_of
                and choice.finish_reason is None
                and delta.tool_calls is None
                and delta.reasoning_content is None
                and delta.reasoning is None
                and delta.reasoning_details is None
                and not delta.refusal
                and delta.annotations is None
                and choice.logprobs is None
                and chunk.usage is None
                and chunk.error is None
                and chunk.x_groq is None
            ):
                return (TextDelta(self._plain, text),)
        if self._broken:
            return ()
        try:
            return self._read_any(chunk, frame)
        except Malformed as error:
            return self._break(_garbled(error.message))

    def end(self) -> Sequence[Event]:
        if self._done or self._broken:
            return ()
        if self._voices and all(voice.stopped for voice in self._voices.values()):
            return self._finish()
        return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer was complete"))

    def _read_any(self, chunk: Chunk, frame: Frame) -> Sequence[Event]:
        json.check_text(frame.data)
        if chunk.error is not None or frame.event == b"error":
            return self._break(told_error(frame.data))
        usage = usage_in(chunk)
        if self._done:
            return () if usage is None else (UsageReport(read_usage(usage)),)
        if not _says_something(chunk) and usage is None:
            return (ForeignEvent(CHAT, Raw(frame.data)),)
        events: list[Event] = []
        if not self._started:
            events.append(self._start(chunk, frame))
        for choice in chunk.choices or ():
            self._voice(choice.index or 0).hear(choice, events)
        if usage is not None:
            events.append(UsageReport(read_usage(usage)))
        self._find_plain()
        return events

    def _read_odd(self, frame: Frame, error: Exception) -> Sequence[Event]:
        """A frame that is no chunk: the end mark, a keep-alive, an error in words, or nothing of this dialect."""
        data = frame.data.strip()
        if data == DONE:
            return () if self._done else self._finish()
        if not data or self._done:
            return ()
        try:
            told = frame.event == b"error" or "error" in json.read_fields(data)
        except Malformed:
            told = False
        return self._break(told_error(data) if told else _garbled(str(error)))

    def _start(self, chunk: Chunk, frame: Frame) -> MessageStart:
        self._started, self._id = True, chunk.id or ""
        fields = Fields(frame.data)
        fields.text("id")
        for name in _NOT_KEPT:
            fields.raw(name)
        created = None if chunk.created is None else int(chunk.created)
        return MessageStart(self._id, chunk.model or "", created, None, reply_extra(fields, self._id))

    def _voice(self, number: int) -> Voice:
        voice = self._voices.get(number)
        if voice is None:
            voice = self._voices[number] = Voice(number, self._id, self._numbers)
        return voice

    def _find_plain(self) -> None:
        """Look for an open block of text. With several candidates the last one that spoke serves best."""
        self._plain = None
        for voice in self._voices.values():
            if voice.open is not None and voice.kind is BlockKind.TEXT:
                self._plain, self._plain_of = voice.open, voice.number

    def _finish(self) -> Sequence[Event]:
        """The end of the stream, with or without a reason to stop; but an answer must have begun."""
        if not self._started:
            return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer began"))
        self._done, self._plain = True, None
        self._voice(0)
        events: list[Event] = []
        for _, voice in sorted(self._voices.items()):
            voice.stop(events)
        return events

    def _break(self, error: GatewayError) -> Sequence[Event]:
        self._broken, self._plain = True, None
        return (StreamError(error),)


def usage_in(chunk: Chunk) -> JsonObject | None:
    """Usage, wherever hosts put it: beside the choices, in one of them (Moonshot), or under `x_groq`."""
    if chunk.usage is not None:
        return chunk.usage
    if chunk.x_groq is not None and chunk.x_groq.usage is not None:
        return chunk.x_groq.usage
    return next((choice.usage for choice in chunk.choices or () if choice.usage is not None), None)


def _says_something(chunk: Chunk) -> bool:
    """Does it hold a choice that says anything we know? Others (audio, hosted tools) are kept whole."""
    return any(
        choice.finish_reason is not None or choice.logprobs is not None or (choice.delta or _NOTHING) != _NOTHING
        for choice in chunk.choices or ()
    )


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's stream holds what is no chat completion chunk: {reason}")
