"""Amazon's event stream: what botocore writes and reads, we read and write; damage is told, never passed over."""

from collections.abc import Sequence

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire.event_stream import (
    EXCEPTION,
    GARBLED,
    EventStreamGate,
    EventStreamSplitter,
    write_event,
    write_exception,
    write_message,
)
from isthmus.wire.frames import Frame, FrameTooLarge

STREAM = b"".join(
    (
        write_event("messageStart", b'{"role":"assistant"}'),
        write_event("contentBlockDelta", '{"delta":{"text":"Grüße"}}'.encode()),
        write_event("metadata", b""),
    )
)
FRAMES = [
    Frame(b"messageStart", b'{"role":"assistant"}'),
    Frame(b"contentBlockDelta", '{"delta":{"text":"Grüße"}}'.encode()),
    Frame(b"metadata", b""),
]


def split(pieces: Sequence[bytes]) -> list[Frame]:
    splitter = EventStreamSplitter()
    return [*(frame for piece in pieces for frame in splitter.feed(piece)), *splitter.end()]


def in_botocore(stream: bytes) -> list[tuple[dict[str, object], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(message.headers, message.payload) for message in buffer]


def test_messages_become_frames() -> None:
    assert split([STREAM]) == FRAMES


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_a_cut_at_any_byte_changes_nothing(cut: int) -> None:
    assert split([STREAM[:cut], STREAM[cut:]]) == FRAMES


def test_single_bytes_change_nothing() -> None:
    assert split([STREAM[at : at + 1] for at in range(len(STREAM))]) == FRAMES


def test_botocore_reads_what_is_written() -> None:
    kinds = [{":message-type": "event", ":content-type": "application/json", ":event-type": name.decode()}
             for name, _ in ((frame.event, frame.data) for frame in FRAMES)]  # fmt: skip
    assert in_botocore(STREAM) == [(kind, frame.data) for kind, frame in zip(kinds, FRAMES, strict=True)]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=20),
                            st.text(max_size=30), max_size=4),
            st.binary(max_size=200),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_any_message_is_the_same_to_botocore(messages: list[tuple[dict[str, str], bytes]]) -> None:
    stream = b"".join(write_message(headers, payload) for headers, payload in messages)
    assert in_botocore(stream) == messages
    assert [frame.data for frame in split([stream])] == [payload for _, payload in messages]


@pytest.mark.parametrize("at", range(len(STREAM)))
def test_a_flipped_byte_is_told_wherever_it_is(at: int) -> None:
    broken = bytes([*STREAM[:at], STREAM[at] ^ 0x04, *STREAM[at + 1 :]])
    frames = split([broken])
    assert frames[-1].event == GARBLED
    assert frames[:-1] == FRAMES[: len(frames) - 1]
    with pytest.raises(ChecksumMismatch):
        in_botocore(broken)


def test_nothing_is_read_behind_a_broken_message() -> None:
    broken = STREAM[:-1] + b"x" + STREAM
    splitter = EventStreamSplitter()
    assert [frame.event for frame in splitter.feed(broken)] == [b"messageStart", b"contentBlockDelta", GARBLED]
    assert splitter.feed(STREAM) == ()


def test_what_is_no_event_stream_at_all_is_told() -> None:
    (frame,) = split([b"<html>this is a web page</html>"])
    assert frame.event == GARBLED


@pytest.mark.parametrize(
    "lengths",
    [b"\x00\x00\x00\x0f\x00\x00\x00\x00", b"\x00\x00\x00\x10\x00\x00\x00\x01"],
    ids=["too short", "headers beyond the end"],
)
def test_lengths_that_do_not_fit_are_told(lengths: bytes) -> None:
    from zlib import crc32

    (frame,) = split([lengths + crc32(lengths).to_bytes(4) + b"\x00" * 4])
    assert frame.event == GARBLED


def test_an_exception_is_told_apart_from_an_event() -> None:
    (frame,) = split([write_exception("throttlingException", b'{"message":"slow down"}')])
    assert frame == Frame(EXCEPTION + b"throttlingException", b'{"message":"slow down"}')


def test_an_error_told_in_headers_is_an_exception_with_its_words() -> None:
    told = {":message-type": "error", ":error-code": "InternalError", ":error-message": 'it "broke"'}
    (frame,) = split([write_message(told, b"")])
    assert frame == Frame(EXCEPTION + b"InternalError", b'{"message":"it \\"broke\\""}')


def test_headers_of_every_type_are_stepped_over() -> None:
    """Types as the encoding lists them: true, false, byte, short, integer, long, bytes, text, timestamp, uuid."""
    from zlib import crc32

    lengths = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    block = b"".join(b"\x02h%d%c%b" % (kind, kind, b"\x00" * length) for kind, length in lengths.items())
    block += b"\x02h6\x06\x00\x03abc" + b"\x0b:event-type\x07\x00\x04late"
    prelude = (16 + len(block) + 2).to_bytes(4) + len(block).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + block + b"{}"
    stream = message + crc32(message).to_bytes(4)
    assert split([stream]) == [Frame(b"late", b"{}")]
    assert in_botocore(stream)[0][0][":event-type"] == "late"


def test_a_header_that_reaches_too_far_is_told() -> None:
    from zlib import crc32

    block = b"\x02hi\x07\x00\xff"
    prelude = (16 + len(block)).to_bytes(4) + len(block).to_bytes(4)
    message = prelude + crc32(prelude).to_bytes(4) + block
    (frame,) = split([message + crc32(message).to_bytes(4)])
    assert frame.event == GARBLED


def test_a_message_beyond_the_bound_is_refused_by_its_prelude() -> None:
    big = write_event("chunk", b"x" * 2000)
    with pytest.raises(FrameTooLarge):
        EventStreamSplitter(max_frame=1000).feed(big[:12])
    with pytest.raises(FrameTooLarge):
        EventStreamGate(max_frame=1000).feed(big[:12])


def test_a_gate_lets_only_whole_messages_through() -> None:
    first = len(write_event("messageStart", b'{"role":"assistant"}'))
    gate = EventStreamGate()
    assert gate.feed(STREAM[: first - 1]) == b""
    assert gate.feed(STREAM[first - 1 : first + 5]) == STREAM[:first]
    assert gate.feed(STREAM[first + 5 :]) == STREAM[first:]
    assert gate.end() == b""


@pytest.mark.parametrize("size", [1, 3, 7, 64, 1500])
def test_a_gate_changes_no_byte_whole_or_broken(size: int) -> None:
    for stream in (STREAM, STREAM[:-5], STREAM[:40] + b"#" + STREAM[40:]):
        gate = EventStreamGate()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert b"".join([*map(gate.feed, pieces), gate.end()]) == stream
