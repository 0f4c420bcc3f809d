"""The official SDK's own types and stream helper as the judge of what we write for its clients."""

from collections.abc import Sequence
from typing import Any

import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai.responses import CODEC
from support.specimens import CREATED, Specimen, Way, codec_of, dated, ways
from support.streams import events_of, frames_of, stream_of

EVENTS: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
ENDS = ("response.completed", "response.incomplete")
INTO = [(one, way) for one, way in ways() if way.target == CODEC.dialect and way.what == "reply"]
EACH = pytest.mark.parametrize(("specimen", "way"), INTO, ids=str)


def helped(stream: bytes) -> Sequence[Any]:
    """What the SDK's stream helper tells its user of a stream."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    return [told for frame in frames_of([stream]) for told in state.handle_event(EVENTS.validate_json(frame.data))]


@EACH
def test_every_answer_is_a_response_to_the_sdk(specimen: Specimen, way: Way) -> None:
    Response.model_validate_json(specimen.write(way).body)


@EACH
def test_every_stream_is_followed_by_the_sdk_to_its_end(specimen: Specimen, way: Way) -> None:
    last = helped(specimen.write(way._replace(what="stream")).body)[-1]
    assert last.type in ENDS


@EACH
def test_the_sdk_gathers_from_a_stream_what_the_answer_says(specimen: Specimen, way: Way) -> None:
    """Ids and states apart, which belong to each answer."""
    if way.source == "core":
        return
    codec = codec_of(way.source)
    reply = dated(codec.read_reply(specimen.file(way.source, "reply")))
    events = events_of(codec, [specimen.file(way.source, "stream")])
    told = helped(stream_of(CODEC, ReplyHead(reply.model, CREATED), events, Losses()))[-1]
    assert told.type in ENDS
    answer = Response.model_validate_json(CODEC.write_reply(reply, Losses()))
    assert told.response.output_text == answer.output_text
    assert [item.type for item in told.response.output] == [item.type for item in answer.output]
    assert told.response.usage == answer.usage


def test_an_error_in_a_stream_is_two_events_that_the_sdk_knows() -> None:
    stream = CODEC.write_error_event(GatewayError(Kind.UPSTREAM_LIMITED, "too fast"))
    error, failed = (EVENTS.validate_json(frame.data) for frame in frames_of([stream]))
    assert (error.type, failed.type) == ("error", "response.failed")
