"""Streams in pieces, and as events."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from isthmus.core.errors import Kind
from isthmus.core.events import Event
from isthmus.core.losses import Losses
from isthmus.core.usage import Usage
from isthmus.dialects.codec import Codec, ReplyHead, Tap
from isthmus.wire.frames import Frame, Framing
from isthmus.wire.framings import GATES, SPLITTERS


def pieces_of(stream: bytes, size: int) -> Sequence[bytes]:
    """The stream in reads of `size` bytes, the last one shorter."""
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def frames_of(pieces: Iterable[bytes], framing: Framing = Framing.SSE) -> Sequence[Frame]:
    splitter = SPLITTERS[framing]()
    found = [frame for piece in pieces for frame in splitter.feed(piece)]
    return [*found, *splitter.end()]


def spelled_frames(stream: bytes, framing: Framing) -> Sequence[bytes]:
    """The bytes of each frame, with those that end it; what stands behind the last frame is left out."""
    gate = GATES[framing]()
    passed = (gate.feed(stream[at : at + 1]) for at in range(len(stream)))
    return [frame for frame in passed if frame]


def events_of(codec: Codec, pieces: Iterable[bytes]) -> list[Event]:
    """What a reader of the dialect makes of the pieces, up to the end of the stream."""
    return read_frames(codec, frames_of(pieces, codec.framing))


def read_frames(codec: Codec, frames: Iterable[Frame]) -> list[Event]:
    """The same from frames."""
    reader = codec.stream_reader()
    events = [event for frame in frames for event in reader.read(frame)]
    return [*events, *reader.end()]


def stream_of(codec: Codec, head: ReplyHead, events: Iterable[Event], losses: Losses) -> bytes:
    """What a writer of the dialect makes of the events, with the end of the stream."""
    writer = codec.stream_writer(head, losses)
    return b"".join([*map(writer.write, events), writer.end()])


class Tapped(NamedTuple):
    """What a tap let through, and what it noted. An error is told by its kind and words."""

    passed: bytes
    usage: Usage | None
    complete: bool
    started: bool
    error: tuple[Kind, str] | None


def tapped(tap: Tap, pieces: Iterable[bytes]) -> Tapped:
    """A whole stream through one tap."""
    passed = b"".join([*map(tap.feed, pieces), tap.end()])
    error = None if tap.error is None else (tap.error.kind, tap.error.message)
    return Tapped(passed, tap.usage, tap.complete, tap.started, error)
