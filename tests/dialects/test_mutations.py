"""However a request, an answer or a stream is damaged, it is read or refused with a known error, and nothing else."""

import random
from collections.abc import Sequence

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import Event, StreamError
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.dialects.codec import ReplyHead
from isthmus.wire.frames import Frame
from support.mutations import damaged
from support.specimens import ABLE, CREATED, DIALECTS, Specimen, codec_of, specimens, told
from support.streams import frames_of, read_frames, stream_of, tapped

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
EACH = pytest.mark.parametrize(("specimen", "dialect"), told(), ids=str)
TIMES = 100


def dice_for(specimen: Specimen) -> random.Random:
    return random.Random(specimen.name)


@EACH
def test_a_damaged_request_is_read_or_refused(specimen: Specimen, dialect: str) -> None:
    codec = codec_of(dialect)
    for body in damaged(specimen.file(dialect, "request"), dice_for(specimen), TIMES):
        try:
            codec.peek(body)
            request = codec.read_request(body)
            for target in DIALECTS:
                codec_of(target).write_request(request, ABLE[target], Losses())
        except GatewayError as error:
            assert error.kind in (Kind.INVALID, Kind.UNKNOWN_MODEL), body  # noqa: PT017  most bodies raise nothing


@EACH
def test_a_damaged_answer_is_read_or_refused(specimen: Specimen, dialect: str) -> None:
    codec = codec_of(dialect)
    for body in damaged(specimen.file(dialect, "reply"), dice_for(specimen), TIMES):
        try:
            codec.tap_reply(body)
            reply = codec.read_reply(body)
        except GatewayError:
            continue
        for target in DIALECTS:
            assert codec_of(target).write_reply(reply, Losses())


@EACH
def test_a_damaged_stream_obeys_the_grammar(specimen: Specimen, dialect: str) -> None:
    codec, dice = codec_of(dialect), dice_for(specimen)
    frames = frames_of([specimen.file(dialect, "stream")], codec.framing)
    for place, frame in enumerate(frames):
        if frame.data == b"[DONE]":
            continue
        for data in damaged(frame.data, dice, 4):
            events = read_frames(codec, [*frames[:place], Frame(frame.event, data), *frames[place + 1 :]])
            assert_sound(events)


def assert_sound(events: Sequence[Event]) -> None:
    """It obeys, it is folded unless it broke, and every dialect can write it."""
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()
    if not isinstance(events[-1], StreamError):
        assert fold(events)
        for target in DIALECTS:
            assert stream_of(codec_of(target), ReplyHead("m", CREATED), events, Losses())


@EACH
def test_a_tap_passes_a_damaged_stream_unchanged(specimen: Specimen, dialect: str) -> None:
    codec, stream, dice = codec_of(dialect), specimen.file(dialect, "stream"), dice_for(specimen)
    for _ in range(TIMES):
        at = dice.randrange(len(stream))
        bad = stream[:at] + bytes([dice.randrange(256)]) * dice.randrange(3) + stream[at + 1 :]
        assert tapped(codec.tap(False), [bad[:at], bad[at:]]).passed == bad


@DIALECT
@pytest.mark.parametrize("kind", [Kind.INVALID, Kind.OVERLOADED])
def test_a_damaged_refusal_is_read(kind: Kind, dialect: str) -> None:
    codec = codec_of(dialect)
    for body in damaged(codec.write_error(GatewayError(kind, "it is só", param="model")), random.Random(7), TIMES):
        assert codec.read_error(500, (), body).message


@DIALECT
def test_an_answer_with_an_absurd_number_makes_no_absurd_work(dialect: str) -> None:
    """Providers choose the numbers of candidates and blocks."""
    codec, stream = codec_of(dialect), specimens()[0].file(dialect, "stream")
    frames = frames_of([stream.replace(b'"index":0', b'"index":%d' % 10**30)], codec.framing)
    assert_sound(read_frames(codec, frames))


@DIALECT
def test_text_that_is_no_utf_8_is_refused_wherever_it_stands(dialect: str) -> None:
    """Also where it would only be carried: the provider would refuse it, and our own writer may look at it."""
    body = b'{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a"}],"novel":{"x":["\xff"]}}'
    with pytest.raises(GatewayError) as caught:
        codec_of(dialect).read_request(body)
    assert caught.value.kind is Kind.INVALID
