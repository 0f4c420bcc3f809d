"""The elements of a streamed array come out the same wherever it was cut, and no element grows without end."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire import json
from isthmus.wire.frames import Frame, FrameTooLarge, Framing
from isthmus.wire.framings import GATES
from isthmus.wire.json_array import ArrayGate, JsonArraySplitter
from support.streams import frames_of, pieces_of

ELEMENTS = (
    b'{"a": "}]\\", [{"}',
    b'{\n  "deep": [{"x": [[]]}, {}]\r\n}',
    b"{}",
    b'["an array", {"in": "it"}]',
    '{"é": "🌊\\\\"}'.encode(),
)
STREAM = b"\xef\xbb\xbf [" + b"\n,\r\n".join(ELEMENTS) + b"\n]\n"
FRAMES = [Frame(b"", element) for element in ELEMENTS]


def test_a_stream_cut_at_any_byte_gives_the_same_elements() -> None:
    for cut in range(len(STREAM) + 1):
        assert frames_of((STREAM[:cut], STREAM[cut:]), Framing.JSON_ARRAY) == FRAMES, f"cut at byte {cut}"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_reads_of_any_size_give_the_same_elements(size: int) -> None:
    assert frames_of(pieces_of(STREAM, size), Framing.JSON_ARRAY) == FRAMES


def values() -> st.SearchStrategy[object]:
    words = st.text(st.sampled_from('[]{}",\\x '), max_size=4)
    return st.recursive(
        words | st.integers(), lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3)
    )


@given(st.lists(st.dictionaries(st.just("v"), values(), min_size=1), max_size=4), st.data())
def test_any_array_cut_anywhere_gives_its_elements(elements: list[object], data: st.DataObject) -> None:
    stream = json.encode(elements)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = frames_of(pieces, Framing.JSON_ARRAY)
    assert [json.decode(frame.data) for frame in found] == elements


@given(st.binary(max_size=40), st.integers(1, 9))
def test_no_bytes_are_too_odd_to_cut(stream: bytes, size: int) -> None:
    whole = frames_of([stream], Framing.JSON_ARRAY)
    assert frames_of(pieces_of(stream, size), Framing.JSON_ARRAY) == whole


def test_one_object_without_an_array_is_one_frame() -> None:
    assert frames_of([b' {"error": {"code": 400}}\n'], Framing.JSON_ARRAY) == [Frame(b"", b'{"error": {"code": 400}}')]


def test_an_element_without_its_end_is_none() -> None:
    assert frames_of([b'[{"a": 1},{"b": '], Framing.JSON_ARRAY) == [Frame(b"", b'{"a": 1}')]


@pytest.mark.parametrize("size", [1, 50, 1000])
def test_an_endless_element_is_refused(size: int) -> None:
    splitter = JsonArraySplitter(max_frame=100)
    pieces = pieces_of(b'[{"a": "' + b"x" * 1000, size)
    with pytest.raises(FrameTooLarge):
        list(map(splitter.feed, pieces))


def test_many_small_elements_are_not_too_large() -> None:
    assert len(JsonArraySplitter(max_frame=100).feed(b"[" + b'{"a":1},' * 1000 + b"]")) == 1000


@pytest.mark.parametrize("size", [1, 3, 16, 1000])
def test_a_gate_passes_whole_elements_and_every_byte(size: int) -> None:
    gate = GATES[Framing.JSON_ARRAY]()
    passed = b""
    for piece in pieces_of(STREAM, size):
        passed += gate.feed(piece)
        seen = frames_of([passed], Framing.JSON_ARRAY)
        assert seen == FRAMES[: len(seen)]
        assert not passed.endswith(b'"a": "')
    assert passed + gate.end() == STREAM


def test_a_gate_holds_a_broken_element_until_the_end() -> None:
    gate = ArrayGate()
    assert gate.feed(b'[{"a": 1}, {"b": ') == b'[{"a": 1}, '
    assert gate.end() == b'{"b": '


def test_a_gate_refuses_an_endless_element() -> None:
    gate = ArrayGate(max_frame=100)
    with pytest.raises(FrameTooLarge):
        list(map(gate.feed, [b'[{"a": "xxxxxxx'] * 20))


def test_the_cost_grows_with_the_length_and_no_faster() -> None:
    def seconds(size: int) -> float:
        pieces = pieces_of(b'[{"a":"' + b"x" * size + b'"}]', 1024)
        began = time.process_time()
        assert len(frames_of(pieces, Framing.JSON_ARRAY)) == 1
        return time.process_time() - began

    small = min(seconds(250_000) for _ in range(5))
    large = min(seconds(4_000_000) for _ in range(2))
    assert large < 100 * small
