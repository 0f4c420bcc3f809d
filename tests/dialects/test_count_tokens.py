"""Asking how many tokens a request has, in every dialect that has a way to ask it."""

import pytest

from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role, Sampling, Tool
from isthmus.core.content import Text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN
from isthmus.dialects.table import COUNT_CODECS
from isthmus.wire import json
from support.specimens import bare

DIALECT = pytest.mark.parametrize("dialect", COUNT_CODECS)
ASKED = ChatRequest(
    model="m-1",
    messages=(Message(Role.SYSTEM, (Text("Be brief."),)), Message(Role.USER, (Text("Why is the sea salt?"),))),
    tools=(Tool("look", "Looks something up.", json.raw({"type": "object", "properties": {}})),),
)
ANSWERING = frozenset({"max_tokens", "max_output_tokens", "temperature", "top_p", "stop_sequences", "stream"}) | {
    "metadata",
    "user",
    "store",
    "include",
    "inferenceConfig",
}
UNNAMED = {
    "anthropic": b'{"messages":[{"role":"user","content":"hi"}]}',
    "openai": b'{"input":"hi"}',
}


def written(dialect: str, request: ChatRequest) -> bytes:
    return COUNT_CODECS[dialect].write_request(request, UNKNOWN, Losses())


@DIALECT
def test_what_is_to_be_counted_comes_back(dialect: str) -> None:
    read = COUNT_CODECS[dialect].read_request(written(dialect, ASKED))
    assert [bare(turn.parts) for turn in read.messages] == [turn.parts for turn in ASKED.messages]
    assert [tool.name for tool in read.tools or () if isinstance(tool, Tool)] == ["look"]


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "bedrock"])
def test_how_to_answer_is_left_out(dialect: str) -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, stop=("END",))
    chatty = ChatRequest(
        model="m-1", messages=ASKED.messages, sampling=sampling, max_output=99, stream=True, end_user="reader-17"
    )
    body = json.decode(written(dialect, chatty))
    told = body.get("input", body) if dialect == "bedrock" else body
    assert not ANSWERING & told.get("converse", told).keys()


def test_thinking_is_told_because_it_is_counted() -> None:
    request = ChatRequest(
        model="m-1", messages=ASKED.messages, reasoning=ReasoningOptions(ReasoningMode.ON, budget=2048), max_output=4096
    )
    assert json.decode(written("anthropic", request))["thinking"] == {"type": "enabled", "budget_tokens": 2048}


@DIALECT
def test_a_count_comes_back(dialect: str) -> None:
    codec = COUNT_CODECS[dialect]
    assert codec.read_reply(codec.write_reply(1234)) == 1234


def test_each_dialect_tells_a_count_in_its_own_field() -> None:
    told = {dialect: json.decode(codec.write_reply(7)) for dialect, codec in COUNT_CODECS.items()}
    assert told["anthropic"] == {"input_tokens": 7}
    assert told["openai"] == {"object": "response.input_tokens", "input_tokens": 7}
    assert told["bedrock"] == {"inputTokens": 7}
    assert told["gemini"]["totalTokens"] == 7


@pytest.mark.parametrize("dialect", UNNAMED)
def test_the_model_may_be_unnamed(dialect: str) -> None:
    codec = COUNT_CODECS[dialect]
    assert codec.peek(UNNAMED[dialect]).model == ""
    assert codec.read_request(UNNAMED[dialect]).model == ""


@DIALECT
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"m"}', b'{"model":7,"messages":7,"input":7}'])
def test_what_is_no_request_is_refused(dialect: str, body: bytes) -> None:
    codec = COUNT_CODECS[dialect]
    for read in (codec.peek, codec.read_request):
        with pytest.raises(GatewayError) as caught:
            read(body)
        assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "bedrock"])
@pytest.mark.parametrize("body", [b"", b"[]", b'{"x":1}', b'{"input_tokens":"7","inputTokens":"7"}'])
def test_what_is_no_count_is_garbled(dialect: str, body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        COUNT_CODECS[dialect].read_reply(body)
    assert caught.value.kind is Kind.GARBLED


def test_another_apis_body_is_not_read_by_bedrock() -> None:
    with pytest.raises(GatewayError) as caught:
        COUNT_CODECS["bedrock"].read_request(b'{"input":{"invokeModel":{"body":"e30="}}}')
    assert caught.value.param == "input.converse"
