"""Other inputs like a given one: damaged where flipped bits seldom reach, inside JSON, between frames, and in size."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.wire import json
from isthmus.wire.event_stream import write_event as write_message
from isthmus.wire.frames import Frame, FrameTooLarge, Framing
from isthmus.wire.sse import write_data, write_event
from support.mutations import damaged
from support.streams import frames_of


def mutated(data: bytes, framing: Framing | None, dice: random.Random, limit: int) -> bytes | None:
    """Another input of at most `limit` bytes, or None where this one cannot be taken apart."""
    try:
        changed = _document(data, dice, limit) if framing is None else _stream(data, framing, dice, limit)
    except (json.Malformed, IndexError, FrameTooLarge, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        return None
    return changed if len(changed) <= limit else None


def _document(body: bytes, dice: random.Random, limit: int) -> bytes:
    if dice.randrange(8):
        return next(damaged(body, dice, 1))
    return dice.choice((_repeat_item, _nest))(body, dice, limit)


def _repeat_item(body: bytes, dice: random.Random, limit: int) -> bytes:
    """One item of a list, very often."""
    document = json.decode(body)
    items = dice.choice([found for found in _lists(document) if found])
    item = dice.choice(items)
    items.extend([item] * dice.randrange(1, max(2, limit // (1 + len(json.encode(item))))))
    return json.encode(document)


def _nest(body: bytes, dice: random.Random, limit: int) -> bytes:
    """Brackets around something, very often."""
    at = body.index(dice.choice((b'"', b"[", b"{")), dice.randrange(len(body)))
    opening, closing = dice.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = dice.choice((3, 30, 300, 3000))
    return body[:at] + opening * depth + b"0" + closing * depth + dice.choice((b",", b"")) + body[at:]


def _lists(document: Any) -> list[list[Any]]:
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    found = [one for item in inner for one in _lists(item)]
    return [document, *found] if isinstance(document, list) else found


def _stream(stream: bytes, framing: Framing, dice: random.Random, limit: int) -> bytes:
    frames = list(frames_of([stream], framing))
    at = dice.randrange(len(frames))
    match dice.randrange(8):
        case 0:
            del frames[at]
        case 1:
            frames.insert(dice.randrange(len(frames)), frames[at])
        case 2:
            frames[at:at] = [frames[at]] * dice.randrange(1, max(2, limit // (64 + len(frames[at].data))))
        case 3:
            other = dice.choice(frames)
            frames[at] = Frame(other.event, frames[at].data)
        case _:
            frames[at] = Frame(frames[at].event, next(damaged(frames[at].data, dice, 1)))
    return WRITERS[framing](frames)


def _as_events(frames: Sequence[Frame]) -> bytes:
    return b"".join(
        write_event(frame.event.decode(), frame.data) if frame.event else write_data(frame.data) for frame in frames
    )


def _as_lines(frames: Sequence[Frame]) -> bytes:
    return b"".join(frame.data + b"\n" for frame in frames)


def _as_array(frames: Sequence[Frame]) -> bytes:
    return b"[" + b",".join(frame.data for frame in frames) + b"]"


def _as_messages(frames: Sequence[Frame]) -> bytes:
    return b"".join(write_message(frame.event.decode()[:120], frame.data) for frame in frames)


WRITERS: Mapping[Framing, Callable[[Sequence[Frame]], bytes]] = {
    Framing.SSE: _as_events,
    Framing.NDJSON: _as_lines,
    Framing.JSON_ARRAY: _as_array,
    Framing.EVENT_STREAM: _as_messages,
}
