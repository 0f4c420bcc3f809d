"""The chunks of a streamed completion.

Source: the OpenAI API reference, "The completion object" (streamed and not, it is one shape). Why each candidate
stopped is told when the stream ends, because usage may follow the chunk that says so.
"""

from collections.abc import Sequence

from msgspec import Raw, Struct

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.core.value import Extra
from isthmus.dialects.openai import COMPLETIONS
from isthmus.dialects.openai.completions.logprobs import merged, to_chat
from isthmus.dialects.openai.completions.usage import read_finish, read_usage
from isthmus.dialects.openai.errors import told_error
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

DONE = b"[DONE]"
_KNOWN = ("id", "object", "created", "model", "choices", "usage")
_CHOICE = ("index", "text", "finish_reason", "logprobs")


class Choice(Struct, frozen=True, gc=False):
    text: str | None = None
    index: int | None = 0
    finish_reason: str | None = None
    logprobs: Raw = json.NULL


class Chunk(Struct, frozen=True, gc=False):
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    choices: list[Choice] | None = None
    usage: dict[str, Raw] | None = None
    error: dict[str, Raw] | str | None = None


read_chunk = json.decoder(Chunk)


class _Voice:
    """One candidate: the block of its text, once there is one, and how it ended."""

    __slots__ = ("block", "kept", "weights", "word")

    def __init__(self) -> None:
        self.block: int | None = None
        self.word: str | None = None
        self.kept: dict[str, Raw] = {}
        self.weights: list[Raw] = []

    def stop(self, number: int) -> Sequence[Event]:
        """The candidate is complete. Its log probabilities are told at once, as a whole answer tells them."""
        events: list[Event] = [] if self.block is None else [BlockStop(self.block)]
        labels: dict[str, Raw] = {}
        if self.weights and (lists := merged(self.weights)) is not None and (told := to_chat(lists)) is not None:
            events.append(LogprobsDelta(told, number))
            labels["logprobs"] = lists
        extra = Extra(COMPLETIONS, self.kept, labels) if self.kept or labels else None
        return (*events, MessageStop(read_finish(self.word), number, extra))


class CompletionReader:
    """Implements StreamReader."""

    def __init__(self) -> None:
        self._voices: dict[int, _Voice] = {}
        self._blocks = 0
        self._started = False
        self._done = False
        self._broken = False

    def read(self, frame: Frame) -> Sequence[Event]:
        if self._broken:
            return ()
        try:
            chunk = read_chunk(frame.data)
            return self._read(chunk, frame)
        except DECODE_ERRORS as error:
            return self._read_odd(frame, str(error))
        except Malformed as error:
            return self._break(_garbled(error.message))

    def end(self) -> Sequence[Event]:
        if self._done or self._broken:
            return ()
        if self._voices and all(voice.word for voice in self._voices.values()):
            return self._finish()
        return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer was complete"))

    def _read(self, chunk: Chunk, frame: Frame) -> Sequence[Event]:
        json.check_text(frame.data)
        if chunk.error is not None or frame.event == b"error":
            return self._break(told_error(frame.data))
        told: list[Event] = [] if chunk.usage is None else [UsageReport(read_usage(chunk.usage))]
        if self._done:
            return told
        if not chunk.choices and not told:
            return (ForeignEvent(COMPLETIONS, Raw(frame.data)),)
        events: list[Event] = [] if self._started else [self._start(chunk, frame)]
        for number, choice in enumerate(chunk.choices or ()):
            self._hear(choice, events)
            if choice.finish_reason:
                self._keep(choice, number, frame)
        events.extend(told)
        return events

    def _start(self, chunk: Chunk, frame: Frame) -> MessageStart:
        self._started = True
        fields = Fields(frame.data)
        for name in _KNOWN:
            fields.raw(name)
        created = None if chunk.created is None else int(chunk.created)
        extra = fields.rest(COMPLETIONS) or Extra(COMPLETIONS, {})
        return MessageStart(chunk.id or "", chunk.model or "", created, None, extra)

    def _hear(self, choice: Choice, events: list[Event]) -> None:
        number = choice.index or 0
        voice = self._voices.setdefault(number, _Voice())
        if choice.text:
            if voice.block is None:
                voice.block, self._blocks = self._blocks, self._blocks + 1
                events.append(BlockStart(voice.block, BlockKind.TEXT, candidate=number))
            events.append(TextDelta(voice.block, choice.text))
        if choice.logprobs != json.NULL:
            voice.weights.append(choice.logprobs)
        voice.word = choice.finish_reason or voice.word

    def _keep(self, choice: Choice, place: int, frame: Frame) -> None:
        """What the last chunk of a candidate tells that nobody knows (vLLM's `stop_reason`)."""
        fields = Fields(json.read_items(json.read_fields(frame.data)["choices"])[place])
        for name in _CHOICE:
            fields.raw(name)
        rest = fields.rest(COMPLETIONS)
        if rest is not None:
            self._voices[choice.index or 0].kept.update(rest.fields)

    def _read_odd(self, frame: Frame, reason: str) -> Sequence[Event]:
        """A frame that is no chunk: the end mark, a keep-alive, an error in words, or nothing of this dialect."""
        data = frame.data.strip()
        if data == DONE:
            return () if self._done else self._finish()
        if not data or self._done:
            return ()
        return self._break(told_error(data) if tells_error(frame) else _garbled(reason))

    def _finish(self) -> Sequence[Event]:
        """The end of the stream, with or without a reason to stop; but an answer must have begun."""
        if not self._started:
            return self._break(GatewayError(Kind.CUT_SHORT, "the provider's stream ended before the answer began"))
        self._done = True
        voices = sorted(self._voices.items() or {0: _Voice()}.items())
        return [event for number, voice in voices for event in voice.stop(number)]

    def _break(self, error: GatewayError) -> Sequence[Event]:
        self._broken = True
        return (StreamError(error),)


def tells_error(frame: Frame) -> bool:
    """Does a frame that is no chunk tell an error all the same?"""
    try:
        return frame.event == b"error" or "error" in json.read_fields(frame.data.strip())
    except Malformed:
        return False


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's stream holds what is no chunk of a completion: {reason}")
