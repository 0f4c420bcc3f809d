"""What a dialect can say comes back as it was; what it cannot say is declared; nothing makes a writer or reader fail.

"The same" is `bare`: how it was spelled (native objects, white space in JSON, a reply id's prefix) does not count.
"""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError
from isthmus.core.fold import fold, unfold
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN, ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.reply import ChatReply, Reason
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.wire import json
from support.sayable import sayable_replies, sayable_requests
from support.specimens import ABLE, CREATED, DIALECTS, bare, codec_of, dated, in_body, undated
from support.strategies import replies, requests
from support.streams import events_of, stream_of
from support.tongues import TONGUES

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
UNABLE = ModelProfile(
    requires_max_output=True,
    max_output_limit=4096,
    system_in_place=False,
    content_lists=False,
    images=False,
    documents=False,
    audio=False,
    reasoning=ReasoningStyle.NONE,
    sampling=False,
    schema=SchemaStyle.NONE,
    parallel_tools=False,
    prefill=False,
)
PROFILES = (
    UNKNOWN,
    UNABLE,
    ModelProfile(reasoning=ReasoningStyle.BUDGET, sampling_while_reasoning=False, reasoning_field="reasoning_content"),
    ModelProfile(reasoning=ReasoningStyle.ADAPTIVE, efforts=("low", "high"), schema=SchemaStyle.JSON_MODE),
)


def streamed(codec: Codec, reply: ChatReply, losses: Losses) -> bytes:
    return stream_of(codec, ReplyHead(reply.model, CREATED), unfold(reply), losses)


@DIALECT
@given(data=st.data())
def test_a_request_that_the_dialect_can_say_comes_back(dialect: str, data: st.DataObject) -> None:
    request, codec, losses = data.draw(sayable_requests(dialect)), codec_of(dialect), Losses()
    body = codec.write_request(request, ABLE[dialect], losses)
    assert bare(codec.read_request(body)) == bare(in_body(dialect, request))
    assert losses.found == []


@DIALECT
@given(data=st.data())
def test_an_answer_that_the_dialect_can_tell_comes_back(dialect: str, data: st.DataObject) -> None:
    reply, codec, losses = data.draw(sayable_replies(dialect)), codec_of(dialect), Losses()
    assert bare(codec.read_reply(codec.write_reply(reply, losses))) == bare(reply)
    assert losses.found == []


@DIALECT
@given(data=st.data())
def test_a_stream_that_the_dialect_can_tell_comes_back(dialect: str, data: st.DataObject) -> None:
    reply, codec, losses = data.draw(sayable_replies(dialect)), codec_of(dialect), Losses()
    read = fold(events_of(codec, [streamed(codec, reply, losses)]))
    assert undated(bare(read)) == undated(bare(reply))
    assert losses.found == []


@DIALECT
@given(request=requests(), profile=st.sampled_from(PROFILES))
def test_any_request_is_written_and_what_is_written_is_read(
    dialect: str, request: ChatRequest, profile: ModelProfile
) -> None:
    codec = codec_of(dialect)
    try:
        body = codec.write_request(request, profile, Losses())
    except GatewayError:
        return
    assert json.encode(json.decode(body))
    assert codec.peek(body).model == in_body(dialect, request).model
    codec.read_request(body)


CALLING = Message(Role.ASSISTANT, (ToolCall("call_1", "clock", "{}"),))
RESULT = ToolResult("call_1", (Text("noon"),))
HEARD = Message(Role.USER, (RESULT, Text("")))
SAYING = Message(Role.ASSISTANT, (Text("I look."),))


def talk(*turns: Message) -> ChatRequest:
    return ChatRequest(model="m", messages=(Message(Role.USER, (Text("hi"),)), *turns), max_output=16)


@DIALECT
@given(request=requests())
@example(request=talk(CALLING, HEARD, Message(Role.USER, ())))
@example(request=talk(CALLING, HEARD, Message(Role.USER, (Text("So?"),))))
@example(request=talk(SAYING, SAYING, CALLING))
@example(request=talk(CALLING, CALLING, Message(Role.USER, (Text("So?"),))))
def test_what_was_written_once_is_settled(dialect: str, request: ChatRequest) -> None:
    """Whatever a writer had to change, it changes once: what is read of its work survives the next writing."""
    codec = codec_of(dialect)
    try:
        body = codec.write_request(request, ABLE[dialect], Losses())
    except GatewayError:
        return
    settled = codec.read_request(body)
    again = codec.read_request(codec.write_request(settled, ABLE[dialect], Losses()))
    assert bare(again) == bare(settled)


@DIALECT
@given(request=requests())
def test_a_request_is_written_in_the_same_bytes_each_time(dialect: str, request: ChatRequest) -> None:
    codec = codec_of(dialect)

    def write() -> bytes:
        try:
            return codec.write_request(request, ABLE[dialect], Losses())
        except GatewayError as error:
            return error.message.encode()

    assert write() == write()


@DIALECT
@given(reply=replies())
def test_any_answer_is_written_and_what_is_written_is_read(dialect: str, reply: ChatReply) -> None:
    codec = codec_of(dialect)
    body = codec.write_reply(dated(reply), Losses())
    settled = codec.read_reply(body)
    assert json.decode(codec.write_reply(dated(settled), Losses())) == json.decode(body)


@DIALECT
@given(reply=replies())
def test_any_answer_is_streamed_and_what_is_streamed_is_read(dialect: str, reply: ChatReply) -> None:
    codec = codec_of(dialect)
    assert fold(events_of(codec, [streamed(codec, reply, Losses())]))


@DIALECT
@given(reply=replies())
def test_what_an_answer_says_is_kept_or_declared(dialect: str, reply: ChatReply) -> None:
    """Words, calls, the reason to stop and the count of the first candidate.

    A dialect without a place for refusals says one by its reason to stop.
    """
    codec, losses = codec_of(dialect), Losses()
    read = codec.read_reply(codec.write_reply(dated(reply), losses))
    kept, said = read.candidates[0], reply.candidates[0]
    paths = " ".join(loss.path for loss in losses.found)
    same_calls = [call.name for call in calls_in(kept.parts)] == [call.name for call in calls_in(said.parts)]
    assert same_calls or (TONGUES[dialect].toolless and "parts" in paths)
    assert words_of(kept.parts) == words_of(said.parts) or "parts" in paths
    if said.finish is not None:
        assert kept.finish is not None
        told_by_reason = kept.finish.reason is Reason.REFUSED and any(isinstance(p, Refusal) for p in said.parts)
        same = kept.finish.reason is said.finish.reason
        assert same or told_by_reason or "finish" in paths or calls_in(said.parts)
    assert reply.usage is None or bare(read.usage) == bare(reply.usage) or "usage" in paths


def calls_in(parts: Sequence[object]) -> list[ToolCall]:
    return [part for part in parts if isinstance(part, ToolCall)]


def words_of(parts: Sequence[object]) -> str:
    """Texts, then refusals: not every dialect keeps the order between the two."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    return "".join([*texts, *(part.text for part in parts if isinstance(part, Refusal))])


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if not TONGUES[one].toolless])
def test_results_in_any_place_answer_their_calls(dialect: str) -> None:
    """Results that the caller put behind other words still stand where the provider looks for them."""
    codec = codec_of(dialect)
    call, result = ToolCall("call_1", "clock", "{}"), ToolResult("call_1", ())
    told = Message(Role.USER, (result,))
    request = ChatRequest(model="m", messages=(Message(Role.ASSISTANT, (call,)), told), max_output=7)
    read = codec.read_request(codec.write_request(request, ABLE[dialect], Losses()))
    assert bare(read.messages[-1].parts[0]) == result


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if not TONGUES[one].toolless])
def test_a_call_is_answered_by_the_result_behind_it_though_an_older_one_has_its_id(dialect: str) -> None:
    """Some hosts give the same ids again in every turn."""
    codec, losses = codec_of(dialect), Losses()
    call, result = ToolCall("call_1", "date", "{}"), ToolResult("call_1", (Text("today"),))
    later = (Message(Role.ASSISTANT, (call,)), Message(Role.USER, (result,)))
    request = replace(talk(CALLING, Message(Role.USER, (RESULT,)), *later), tools=(Tool("clock"), Tool("date")))
    read = codec.read_request(codec.write_request(request, ABLE[dialect], losses))
    assert bare(read.messages) == bare(request.messages)
    assert losses.found == []
