"""Every reader obeys the grammar, whatever the provider sends, and no stream that broke off looks like a good one."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.core.events import Event, StreamError
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate
from isthmus.dialects.codec import ReplyHead
from isthmus.wire import json
from isthmus.wire.frames import Frame
from support.frames import anthropic_events, openai_chunks
from support.specimens import CREATED, DIALECTS, Specimen, bare, codec_of, specimens, told, told_in
from support.streams import events_of, frames_of, read_frames, stream_of

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
ENDED_EVERYWHERE = ("interleaved_calls", "signed_thinking", "several_candidates")
EACH = pytest.mark.parametrize(("specimen", "dialect"), told(), ids=str)


def check(events: Sequence[Event]) -> None:
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()


def assert_broken_or_whole(events: Sequence[Event], whole: Sequence[Event]) -> None:
    """It ends in an error, or says all that the whole stream says but for the last count and what stands beside it."""
    check(events)
    if not isinstance(events[-1], StreamError):
        assert spoken_in(events) == spoken_in(whole)


def spoken_in(events: Sequence[Event]) -> list[Candidate]:
    return [replace(candidate, extra=None) for candidate in bare(fold(events)).candidates]


@EACH
def test_every_stream_obeys(specimen: Specimen, dialect: str) -> None:
    check(events_of(codec_of(dialect), [specimen.file(dialect, "stream")]))


@EACH
def test_a_stream_that_ends_between_two_events_is_broken_unless_all_is_said(specimen: Specimen, dialect: str) -> None:
    codec = codec_of(dialect)
    frames = frames_of([specimen.file(dialect, "stream")], codec.framing)
    whole = read_frames(codec, frames)
    for length in range(len(frames)):
        assert_broken_or_whole(read_frames(codec, frames[:length]), whole)


@pytest.mark.parametrize(("specimen", "dialect"), [one for one in told() if one[0].name in ENDED_EVERYWHERE], ids=str)
def test_a_stream_that_ends_at_any_byte_is_broken_unless_all_is_said(specimen: Specimen, dialect: str) -> None:
    codec, stream = codec_of(dialect), specimen.file(dialect, "stream")
    whole = events_of(codec, [stream])
    for length in range(len(stream)):
        assert_broken_or_whole(events_of(codec, [stream[:length]]), whole)


@DIALECT
def test_a_stream_without_a_single_event_is_broken(dialect: str) -> None:
    assert isinstance(events_of(codec_of(dialect), [])[-1], StreamError)


@DIALECT
def test_nothing_follows_an_error(dialect: str) -> None:
    frames = frames_of([specimens()[0].file(dialect, "stream")], codec_of(dialect).framing)
    half = frames[: len(frames) // 2]
    events = read_frames(codec_of(dialect), (*half, Frame(b"", b"no JSON"), *frames))
    check(events)
    assert isinstance(events[-1], StreamError)


@given(st.lists(openai_chunks(), max_size=20))
def test_whatever_chunks_an_openai_host_sends_the_reader_obeys(chunks: Sequence[dict[str, Any]]) -> None:
    check(read_frames(codec_of("openai_chat"), [Frame(b"", json.encode(chunk)) for chunk in chunks]))


@given(st.lists(openai_chunks(), min_size=1, max_size=20))
def test_whatever_chunks_came_before_the_end_mark_the_reader_obeys(chunks: Sequence[dict[str, Any]]) -> None:
    frames = [Frame(b"", data) for data in (*map(json.encode, chunks), b"[DONE]", b"[DONE]")]
    check(read_frames(codec_of("openai_chat"), frames))


@given(st.lists(anthropic_events(), max_size=20))
def test_whatever_events_an_anthropic_host_sends_the_reader_obeys(events: Sequence[dict[str, Any]]) -> None:
    check(read_frames(codec_of("anthropic"), [Frame(b"", json.encode(event)) for event in events]))


@DIALECT
@given(data=st.lists(st.tuples(st.sampled_from([b"", b"error", b"message_start"]), st.binary(max_size=40)), max_size=6))
def test_no_frame_makes_a_reader_raise(dialect: str, data: list[tuple[bytes, bytes]]) -> None:
    check(read_frames(codec_of(dialect), [Frame(name, body) for name, body in data]))


@cache
def streams_in(dialect: str) -> Sequence[Sequence[Frame]]:
    """The frames of every specimen."""
    return [frames_of([one.file(dialect, "stream")], codec_of(dialect).framing) for one in told_in(dialect)]


@cache
def frames_in(dialect: str) -> Sequence[Frame]:
    """Every frame of every specimen, once."""
    frames = (frame for frames in streams_in(dialect) for frame in frames)
    return list({(frame.event, frame.data): frame for frame in frames}.values())


@cache
def any_frame(dialect: str) -> st.SearchStrategy[Frame]:
    """JSON of any shape, whose fields and events are called what the dialect calls them."""
    documents = [json.decode(frame.data) for frame in frames_in(dialect) if frame.data != b"[DONE]"]
    names = sorted({name for document in documents for name in names_in(document)})
    said = sorted({value for document in documents for value in kinds_in(document)})
    leaf = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    shape = st.recursive(
        leaf | st.sampled_from(said or [""]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(names), inner, max_size=4),
        max_leaves=8,
    )
    events = sorted({frame.event for frame in frames_in(dialect)})
    return st.builds(Frame, st.sampled_from(events), shape.map(json.encode))


def names_in(document: Any) -> Iterator[str]:
    """Of every field, however deep."""
    inner = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    if isinstance(document, dict):
        yield from document
    for item in inner:
        yield from names_in(item)


def kinds_in(document: Any) -> Iterator[str]:
    """The top-level `type`, where the dialect has one: most of what follows from a frame follows from it."""
    if isinstance(document, dict) and isinstance(kind := document.get("type"), str):
        yield kind


@DIALECT
@given(data=st.data())
def test_in_whatever_order_frames_come_the_reader_obeys(dialect: str, data: st.DataObject) -> None:
    """Those of one answer among those of another, twice, or not at all; every writer takes what is made of them."""
    frames = data.draw(st.lists(st.sampled_from(frames_in(dialect)), max_size=20))
    events = read_frames(codec_of(dialect), frames)
    check(events)
    if not isinstance(events[-1], StreamError):
        assert fold(events)
        for target in DIALECTS:
            assert stream_of(codec_of(target), ReplyHead("m", CREATED), events, Losses())


@DIALECT
@given(data=st.data())
def test_no_json_makes_a_reader_raise(dialect: str, data: st.DataObject) -> None:
    check(read_frames(codec_of(dialect), data.draw(st.lists(any_frame(dialect), max_size=4))))


@DIALECT
@given(data=st.data())
def test_no_json_in_an_answer_makes_a_reader_raise(dialect: str, data: st.DataObject) -> None:
    """Between the frames of a real one, where more of a frame matters than at the start."""
    strange = data.draw(st.lists(any_frame(dialect), min_size=1, max_size=3))
    frames = data.draw(st.sampled_from(streams_in(dialect)))
    at = data.draw(st.integers(0, len(frames)))
    check(read_frames(codec_of(dialect), [*frames[:at], *strange, *frames[at:]]))
