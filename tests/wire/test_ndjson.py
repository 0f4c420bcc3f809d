"""Lines come out the same wherever a stream of them was cut, and no line grows without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire import json
from isthmus.wire.frames import Frame, FrameTooLarge, Framing
from isthmus.wire.framings import CONTENT_TYPES, GATES
from isthmus.wire.ndjson import LineGate, LineSplitter
from support.streams import frames_of, pieces_of

LINES = (b'{"a":"}\\n"}', b"{}", '{"é":"🌊"}'.encode(), b'{"last":true}')
STREAM = b"\n" + LINES[0] + b"\n" + LINES[1] + b"\r\n\r\n  " + LINES[2] + b" \n" + LINES[3] + b"\n"
FRAMES = [Frame(b"", line) for line in LINES]


def test_a_stream_cut_at_any_byte_gives_the_same_lines() -> None:
    for cut in range(len(STREAM) + 1):
        assert frames_of((STREAM[:cut], STREAM[cut:]), Framing.NDJSON) == FRAMES, f"cut at byte {cut}"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_reads_of_any_size_give_the_same_lines(size: int) -> None:
    assert frames_of(pieces_of(STREAM, size), Framing.NDJSON) == FRAMES


def test_a_last_line_counts_even_when_its_end_never_came() -> None:
    assert frames_of([STREAM.rstrip()], Framing.NDJSON) == FRAMES


def test_white_space_is_no_line() -> None:
    assert frames_of([b" \n\r\n\t\n "], Framing.NDJSON) == []


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5)), max_size=5), st.data())
def test_any_documents_cut_anywhere_are_found(documents: list[object], data: st.DataObject) -> None:
    stream = b"".join(json.encode(document) + b"\n" for document in documents)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [json.decode(frame.data) for frame in frames_of(pieces, Framing.NDJSON)] == documents


@pytest.mark.parametrize("size", [1, 50, 1000])
@pytest.mark.parametrize("made", [LineSplitter, LineGate])
def test_an_endless_line_is_refused(made: type[LineSplitter | LineGate], size: int) -> None:
    cutter = made(max_frame=100)
    with pytest.raises(FrameTooLarge):
        list(map(cutter.feed, pieces_of(b'{"a": "' + b"x" * 1000, size)))


def test_a_line_that_comes_whole_and_too_long_is_refused() -> None:
    with pytest.raises(FrameTooLarge):
        LineSplitter(max_frame=100).feed(b'{"a": "' + b"x" * 1000 + b'"}\n')


def test_many_small_lines_are_not_too_large() -> None:
    assert len(LineSplitter(max_frame=100).feed(b'{"a":1}\n' * 1000)) == 1000


@pytest.mark.parametrize("size", [1, 3, 16, 1000])
def test_a_gate_passes_whole_lines_and_every_byte(size: int) -> None:
    gate = GATES[Framing.NDJSON]()
    passed = [gate.feed(piece) for piece in pieces_of(STREAM + b'{"cut', size)]
    assert all(piece.endswith(b"\n") for piece in passed if piece)
    assert b"".join(passed) == STREAM
    assert gate.end() == b'{"cut'


def test_lines_are_known_by_their_content_type() -> None:
    assert CONTENT_TYPES[Framing.NDJSON] == b"application/x-ndjson"
