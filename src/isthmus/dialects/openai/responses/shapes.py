"""The typed shapes that a stream's events are decoded into. What a shape does not name is not read.

Source: the OpenAI API reference, "Streaming events".
"""

from msgspec import Raw, Struct

from isthmus.wire import json


class TextPiece(Struct, frozen=True, gc=False):
    """A delta of an output text."""

    delta: str
    output_index: int = 0
    content_index: int = 0


class ItemEvent(Struct, frozen=True, gc=False):
    """Any event. What is Raw may be of any shape in an event that only its provider knows."""

    type: str | None = None
    output_index: int = 0
    content_index: int | None = None
    summary_index: int | None = None
    delta: Raw = json.NULL
    text: Raw = json.NULL
    refusal: Raw = json.NULL
    item: Raw = json.NULL
    part: Raw = json.NULL
    annotation: Raw = json.NULL
    response: Raw = json.NULL
    error: Raw = json.NULL


read_delta = json.decoder(TextPiece)
read_event = json.decoder(ItemEvent)
