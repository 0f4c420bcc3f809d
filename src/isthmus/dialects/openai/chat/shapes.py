"""The typed shapes that bodies and chunks are decoded into where speed counts. What a shape does not name is not read.

Source: the OpenAI API reference, "The chat completion chunk object"; `reasoning`, `reasoning_details`,
`reasoning_content`, `x_groq` and a choice's `usage` are what compatible hosts add.
"""

from typing import TypeAlias

from msgspec import Raw, Struct

from isthmus.wire import json

JsonObject: TypeAlias = dict[str, Raw]


class StreamOptions(Struct, frozen=True, gc=False):
    include_usage: bool | None = None


class Envelope(Struct, frozen=True, gc=False):
    """What routing needs of a request."""

    model: str
    messages: list[Raw]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Raw = json.NULL
    max_completion_tokens: int | None = None
    max_tokens: int | None = None


class FunctionDelta(Struct, frozen=True, gc=False):
    name: str | None = None
    arguments: str | JsonObject | None = None


class CallDelta(Struct, frozen=True, gc=False):
    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    extra_content: JsonObject | None = None


class Delta(Struct, frozen=True, gc=False):
    role: str | None = None
    content: str | list[Raw] | None = None
    tool_calls: list[CallDelta] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Raw] | None = None
    refusal: str | None = None
    annotations: list[Raw] | None = None


class Choice(Struct, frozen=True, gc=False):
    index: int | None = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: JsonObject | None = None
    usage: JsonObject | None = None


class GroqExtras(Struct, frozen=True, gc=False):
    usage: JsonObject | None = None


class Chunk(Struct, frozen=True, gc=False):
    """One chunk of a stream, or one whole reply as far as a tap cares."""

    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    choices: list[Choice] | None = None
    usage: JsonObject | None = None
    error: JsonObject | str | None = None
    x_groq: GroqExtras | None = None


class Outline(Struct, frozen=True, gc=False):
    """What a tap needs of a whole reply."""

    choices: list[Raw] | None = None
    usage: Raw = json.NULL
    error: JsonObject | str | None = None


read_envelope = json.decoder(Envelope)
read_chunk = json.decoder(Chunk)
read_outline = json.decoder(Outline)
