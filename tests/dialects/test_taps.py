"""A tap sees in passing bytes what a reader sees in events, and changes nothing but what it was told to hide."""

import time

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import StreamError, UsageReport
from isthmus.core.fold import fold
from isthmus.core.reply import is_hollow
from isthmus.dialects.codec import Codec
from isthmus.wire import json
from support.specimens import DIALECTS, Specimen, codec_of, specimens, told, told_in
from support.streams import events_of, frames_of, pieces_of, spelled_frames, tapped
from support.tongues import TONGUES

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
EACH = pytest.mark.parametrize(("specimen", "dialect"), told(), ids=str)


@EACH
def test_a_tap_counts_what_the_decoded_stream_counts(specimen: Specimen, dialect: str) -> None:
    codec, stream = codec_of(dialect), specimen.file(dialect, "stream")
    seen = tapped(codec.tap(False), [stream])
    whole = fold(events_of(codec, [stream]))
    assert seen.usage == whole.usage
    assert seen.complete
    assert seen.started is not all(map(is_hollow, whole.candidates))
    assert seen.error is None


@EACH
def test_the_usage_of_a_whole_answer_is_that_of_the_decoded_one(specimen: Specimen, dialect: str) -> None:
    codec, body = codec_of(dialect), specimen.file(dialect, "reply")
    assert codec.tap_reply(body) == codec.read_reply(body).usage


@EACH
def test_every_byte_passes(specimen: Specimen, dialect: str) -> None:
    stream = specimen.file(dialect, "stream")
    assert tapped(codec_of(dialect).tap(False), pieces_of(stream, 64)).passed == stream


@pytest.mark.parametrize("specimen", told_in("openai_chat"), ids=str)
def test_hidden_usage_is_gone_and_nothing_else(specimen: Specimen) -> None:
    codec, stream = codec_of("openai_chat"), specimen.file("openai_chat", "stream")
    seen = tapped(codec.tap(True), pieces_of(stream, 64))
    frames = [frame for frame in frames_of([stream]) if b'"choices":[]' not in frame.data]
    assert frames_of([seen.passed]) == frames
    assert seen.usage == fold(events_of(codec, [stream])).usage
    if specimen.name != "usage_beside_finish":
        assert not any(isinstance(event, UsageReport) for event in events_of(codec, [seen.passed]))


@pytest.mark.parametrize("specimen", told_in("anthropic"), ids=str)
def test_a_dialect_that_always_tells_usage_hides_none(specimen: Specimen) -> None:
    stream = specimen.file("anthropic", "stream")
    assert tapped(codec_of("anthropic").tap(True), pieces_of(stream, 64)).passed == stream


@EACH
def test_a_tap_and_a_reader_agree_whether_the_answer_is_whole(specimen: Specimen, dialect: str) -> None:
    codec = codec_of(dialect)
    frames = spelled_frames(specimen.file(dialect, "stream"), codec.framing)
    for length in range(len(frames) + 1):
        stream = b"".join(frames[:length])
        broken = isinstance(events_of(codec, [stream])[-1], StreamError)
        assert tapped(codec.tap(False), [stream]).complete is not broken, f"after {length} events"


@DIALECT
@pytest.mark.parametrize("kind", [Kind.OVERLOADED, Kind.UPSTREAM_LIMITED, Kind.CONTEXT_EXCEEDED])
def test_a_tap_hears_the_error_that_a_reader_hears(kind: Kind, dialect: str) -> None:
    codec = codec_of(dialect)
    stream = codec.write_error_event(GatewayError(kind, "the model is busy"))
    heard = events_of(codec, [stream])[-1]
    assert isinstance(heard, StreamError)
    seen = tapped(codec.tap(False), pieces_of(stream, 7))
    assert seen.error == (heard.error.kind, heard.error.message)
    assert not seen.complete
    assert not seen.started
    assert seen.passed == stream


@DIALECT
def test_pings_do_not_begin_an_answer(dialect: str) -> None:
    codec = codec_of(dialect)
    assert not tapped(codec.tap(False), [codec.ping, codec.ping]).started


@DIALECT
def test_a_word_in_a_text_is_no_usage(dialect: str) -> None:
    codec = codec_of(dialect)
    words = json.encode('"usage": {"total_tokens": 7}, [DONE], "error", message_stop')
    (specimen,) = (one for one in specimens() if one.name == "all_counts")
    stream = specimen.file(dialect, "stream")
    stored = TONGUES[dialect].to_file(stream)
    told = TONGUES[dialect].to_wire(stored.replace(b'"Done."', words))
    assert words in told
    assert tapped(codec.tap(False), pieces_of(told, 16)).usage == tapped(codec.tap(False), [stream]).usage


@DIALECT
@pytest.mark.parametrize("hide", [False, True], ids=["shown", "hidden"])
def test_a_large_event_in_small_reads_costs_no_more_than_its_length(dialect: str, *, hide: bool) -> None:
    def seconds(size: int, codec: Codec) -> float:
        pieces = pieces_of(b'data: {"type":"ping","x":"' + b"x" * size + b'"}\n\n', 1024)
        tap = codec.tap(hide)
        began = time.process_time()
        passed = b"".join([*map(tap.feed, pieces), tap.end()])
        assert len(passed) > size
        return time.process_time() - began

    small = min(seconds(500_000, codec_of(dialect)) for _ in range(5))
    large = min(seconds(8_000_000, codec_of(dialect)) for _ in range(2))
    assert large < 100 * small, "16 times the bytes; a cost that grows with the square would be 256 times"
