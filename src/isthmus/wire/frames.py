"""What a splitter yields, and how splitters behave."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

MAX_FRAME = 32 * 1024 * 1024
"""Bytes of one frame; a longer one is refused. Images come as one frame, so this is large."""


class Framing(StrEnum):
    """How a streamed body is cut into frames."""

    SSE = "sse"
    NDJSON = "ndjson"
    JSON_ARRAY = "json_array"
    EVENT_STREAM = "event_stream"


class Frame(Struct, frozen=True, gc=False):
    """One event of a stream: its name (b"" when it has none) and its data."""

    event: bytes
    data: bytes


class FrameTooLarge(Exception):
    """A frame grew beyond the splitter's bound."""


class Gate(Protocol):
    """Lets bytes through unchanged, up to the end of the last whole frame; what it holds is bounded. One per stream."""

    def feed(self, data: bytes) -> bytes:
        """The bytes that may go on. Raises FrameTooLarge."""
        ...

    def end(self) -> bytes:
        """What is still held: the beginning of a frame whose end never came."""
        ...


class Splitter(Protocol):
    """Holds only the unfinished tail, which is bounded. One per stream, never reused."""

    def feed(self, data: bytes) -> Sequence[Frame]:
        """The frames that `data` completes. Raises FrameTooLarge."""
        ...

    def end(self) -> Sequence[Frame]:
        """The body is over: the frames in the unfinished tail, if it holds any."""
        ...
