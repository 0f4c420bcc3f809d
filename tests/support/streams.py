"""Streams in pieces, and as events."""

from collections.abc import Iterable, Sequence

from isthmus.core.events import Event
from isthmus.core.losses import Losses
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.wire.sse import SseSplitter


def pieces_of(stream: bytes, size: int) -> Sequence[bytes]:
    """The stream in reads of `size` bytes, the last one shorter."""
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def events_of(codec: Codec, pieces: Iterable[bytes]) -> list[Event]:
    """What a reader of the dialect makes of the pieces, up to the end of the stream."""
    splitter, reader = SseSplitter(), codec.stream_reader()
    events = [event for piece in pieces for frame in splitter.feed(piece) for event in reader.read(frame)]
    events += [event for frame in splitter.end() for event in reader.read(frame)]
    return [*events, *reader.end()]


def stream_of(codec: Codec, head: ReplyHead, events: Iterable[Event], losses: Losses) -> bytes:
    """What a writer of the dialect makes of the events, with the end of the stream."""
    writer = codec.stream_writer(head, losses)
    return b"".join([*map(writer.write, events), writer.end()])
