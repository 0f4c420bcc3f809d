"""Events come out of a byte stream the same wherever it was cut, at a cost that grows with its length and no faster."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire.frames import Frame, FrameTooLarge
from isthmus.wire.sse import SseSplitter, write_data, write_event
from support.streams import frames_of, pieces_of

STREAM = (
    b": hello\n\n"
    b'event: first\ndata: {"a": 1}\n\n'
    b"data: two lines,\ndata: one event\n\n"
    b"id: 7\nretry: 10\ndata:no blank\n\n\n"
    b"event: hollow\n\n"
    b"data\n\n"
    b"data: \xc3\xa9\xf0\x9f\x8c\x8a\n\n"
    b"data: [DONE]\n\n"
)
FRAMES = [
    Frame(b"first", b'{"a": 1}'),
    Frame(b"", b"two lines,\none event"),
    Frame(b"", b"no blank"),
    Frame(b"", b""),
    Frame(b"", b"\xc3\xa9\xf0\x9f\x8c\x8a"),
    Frame(b"", b"[DONE]"),
]
LINE_ENDS = (b"\n", b"\r\n", b"\r")


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_a_stream_cut_at_any_byte_gives_the_same_events(line_end: bytes) -> None:
    stream = STREAM.replace(b"\n", line_end)
    for cut in range(len(stream) + 1):
        assert frames_of((stream[:cut], stream[cut:])) == FRAMES, f"cut at byte {cut}"


@pytest.mark.parametrize("line_end", LINE_ENDS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_reads_of_any_size_give_the_same_events(size: int, line_end: bytes) -> None:
    assert frames_of(pieces_of(STREAM.replace(b"\n", line_end), size)) == FRAMES


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_reads_of_one_whole_event_each_give_the_same_events(line_end: bytes) -> None:
    stream = STREAM.replace(b"\n", line_end)
    reads = [piece + 2 * line_end for piece in stream.split(2 * line_end)]
    assert frames_of(reads) == FRAMES


@given(
    st.lists(st.sampled_from([b"data: x", b"event: e", b": c", b"", b"\n", b"\r\n", b"\r", b"data:", b"y"])), st.data()
)
def test_any_stream_cut_anywhere_gives_the_same_events(fragments: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(fragments)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert frames_of(pieces) == frames_of([stream])


@pytest.mark.parametrize("line_end", LINE_ENDS)
def test_the_last_event_counts_without_its_blank_line(line_end: bytes) -> None:
    assert frames_of([b"event: e" + line_end + b"data: last"]) == [Frame(b"e", b"last")]


def test_an_event_is_given_as_soon_as_its_blank_line_came() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: a\r\n\r") == [Frame(b"", b"a")]
    assert splitter.feed(b"\ndata: b\r\n\r\n") == [Frame(b"", b"b")]


def test_a_byte_order_mark_opens_a_stream_unseen() -> None:
    assert frames_of([b"\xef\xbb\xbfdata: a\n\n"]) == [Frame(b"", b"a")]


def test_only_the_blank_behind_the_colon_is_taken_off() -> None:
    assert frames_of([b"data:  two \n\n"]) == [Frame(b"", b" two ")]


def feed_all(pieces: Sequence[bytes]) -> None:
    """To a splitter that takes events of at most 100 bytes."""
    splitter = SseSplitter(max_frame=100)
    for piece in pieces:
        splitter.feed(piece)


@pytest.mark.parametrize("sizes", [[200], [10] * 20, [90, 110]])
def test_an_event_beyond_the_bound_is_refused_however_it_comes(sizes: list[int]) -> None:
    with pytest.raises(FrameTooLarge):
        feed_all([b"x" * size for size in sizes])


@pytest.mark.parametrize("size", [1, 50, 1000])
def test_a_whole_event_beyond_the_bound_is_refused_too(size: int) -> None:
    stream = b"data: " + b"x" * 200 + b"\n\n"
    with pytest.raises(FrameTooLarge):
        feed_all(pieces_of(stream, size))


def test_many_small_events_are_no_large_one() -> None:
    splitter = SseSplitter(max_frame=100)
    assert len(splitter.feed(b"data: x\n\n" * 1000)) == 1000


def test_a_large_event_in_small_reads_costs_no_more_than_its_length() -> None:
    def seconds(size: int) -> float:
        pieces = pieces_of(b"data: " + b"x" * size + b"\n\n", 512)
        began = time.process_time()
        assert len(frames_of(pieces)) == 1
        return time.process_time() - began

    small = min(seconds(500_000) for _ in range(5))
    large = min(seconds(8_000_000) for _ in range(3))
    assert large < 100 * small, "16 times the bytes; a cost that grows with the square would be 256 times"


def test_what_is_written_is_read() -> None:
    assert frames_of([write_event("note", b"{}") + write_data(b"[1]")]) == [Frame(b"note", b"{}"), Frame(b"", b"[1]")]
