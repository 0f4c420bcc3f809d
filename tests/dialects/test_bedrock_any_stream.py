"""Whatever Converse streams, in whatever order, is read into a stream that obeys, and can be told again."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.errors import GatewayError
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.dialects.bedrock.converse import CODEC
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.event_stream import write_event
from support.frames import converse_events
from support.streams import events_of, pieces_of, stream_of, tapped

STREAMS = st.lists(converse_events(), max_size=20).map(
    lambda events: b"".join(write_event(name, json.encode(body)) for name, body in events)
)


@given(STREAMS)
def test_the_reader_obeys(stream: bytes) -> None:
    checker = Checker()
    for event in events_of(CODEC, [stream]):
        checker.check(event)
    checker.end()


@given(STREAMS, st.sampled_from([1, 7, 64]))
def test_a_tap_counts_what_the_reader_counts(stream: bytes, size: int) -> None:
    seen = tapped(CODEC.tap(False), pieces_of(stream, size))
    assert seen.passed == stream
    try:
        reply = fold(events_of(CODEC, [stream]))
    except GatewayError:
        return
    assert seen.complete
    assert seen.usage == reply.usage


@given(st.lists(converse_events(), max_size=20))
def test_what_is_told_again_is_read_again(events: Sequence[tuple[str, dict[str, Any]]]) -> None:
    stream = b"".join(write_event(name, json.encode(body)) for name, body in events)
    read = events_of(CODEC, [stream])
    try:
        reply = fold(read)
    except GatewayError:
        return
    again = stream_of(CODEC, ReplyHead("m", 1), read, Losses())
    kept = fold(events_of(CODEC, [again]))
    assert len(kept.candidates[0].parts) == len(reply.candidates[0].parts)
    assert kept.usage == reply.usage
