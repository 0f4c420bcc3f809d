"""The dialects that specimens are told in: one line each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Raw

from isthmus.core.profile import ModelProfile
from isthmus.wire import json
from isthmus.wire.event_stream import EventStreamSplitter, write_event


def _as_it_is(stored: bytes) -> bytes:
    return stored


def _as_events(stored: bytes) -> bytes:
    """A file of Converse holds an object a line, whose one member is the event's name, and its payload."""
    lines = map(json.read_fields, stored.splitlines())
    return b"".join(write_event(name, bytes(body)) for line in lines for name, body in line.items())


def _as_lines(stream: bytes) -> bytes:
    frames = EventStreamSplitter().feed(stream)
    return b"".join(json.encode({frame.event.decode(): Raw(frame.data)}) + b"\n" for frame in frames)


class Tongue(NamedTuple):
    """One dialect. `able` is a model of it that can do whatever the dialect can say.

    `ending` is that of its stream files; `to_wire` makes of such a file what a provider sends, and
    `to_file` the reverse, for framings that no text file holds. `dated`: its answers tell when they were made.
    `nameless`: its answers tell neither an id nor their model, and neither does the reader; `numberless`: they tell
    no id. `toolless`: it knows no tools.
    """

    able: ModelProfile
    ending: str = "sse"
    to_wire: Callable[[bytes], bytes] = _as_it_is
    to_file: Callable[[bytes], bytes] = _as_it_is
    dated: bool = False
    nameless: bool = False
    numberless: bool = False
    toolless: bool = False


TONGUES: Mapping[str, Tongue] = {
    "openai_chat": Tongue(
        ModelProfile(maker="google", max_output_field="max_completion_tokens", reasoning_field="reasoning_details"),
        dated=True,
    ),
    "openai_responses": Tongue(ModelProfile(reasoning_field="content"), dated=True),
    "openai_completions": Tongue(ModelProfile(), dated=True, toolless=True),
    "anthropic": Tongue(ModelProfile(requires_max_output=True)),
    "bedrock": Tongue(
        ModelProfile(maker="anthropic", max_temperature=1.0),
        ending="jsonl",
        to_wire=_as_events,
        to_file=_as_lines,
        nameless=True,
    ),
    "gemini": Tongue(ModelProfile(), dated=True),
    "ollama": Tongue(ModelProfile(efforts=("low", "medium", "high")), "ndjson", dated=True, numberless=True),
    "ollama_generate": Tongue(
        ModelProfile(efforts=("low", "medium", "high")), "ndjson", dated=True, numberless=True, toolless=True
    ),
}
