"""An answer that says nothing is asked for once more elsewhere; an error under a good status is an error.

Both in every dialect, whole and streamed, passed on and translated.
"""

from collections.abc import Mapping

import pytest

from fakes.transport import JSON, Scripted
from isthmus.core.content import Part, Reasoning, Refusal, Signature, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.fold import fold, unfold
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason, says_nothing
from isthmus.core.usage import Usage
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.table import CODECS
from isthmus.engine.exchange import Call, Exchange, Named
from isthmus.engine.facts import facts
from isthmus.engine.serve import serve
from isthmus.engine.verdict import note_end
from isthmus.routing.health import Place, State
from isthmus.wire import json
from isthmus.wire.framings import CONTENT_TYPES
from support.line import Line, provider
from support.streams import events_of

SAID: Mapping[str, Mapping[str, object]] = {
    "openai_chat": {"model": "fast", "messages": [{"role": "user", "content": "Go on."}]},
    "openai_completions": {"model": "fast", "prompt": "Go on."},
    "openai_responses": {"model": "fast", "input": "Go on."},
    "anthropic": {"model": "fast", "max_tokens": 99, "messages": [{"role": "user", "content": "Go on."}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Go on."}]}]},
    "ollama": {"model": "fast", "messages": [{"role": "user", "content": "Go on."}]},
    "ollama_generate": {"model": "fast", "prompt": "Go on."},
}
"""What a client of each dialect asks."""
DIALECT = pytest.mark.parametrize("dialect", list(SAID))
WAY = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
THERE = pytest.mark.parametrize("there", ["openai_chat", "anthropic", "gemini", "ollama", "bedrock"])
ONE = Place("one", "key", "m1")


def reply(*parts: Part, finish: Reason = Reason.STOP, usage: Usage | None = None) -> ChatReply:
    return ChatReply(id="id-1", model="m", candidates=(Candidate(parts, Finish(finish)),), usage=usage, created=1)


EMPTY, FULL = reply(), reply(Text("hello"), usage=Usage(fresh_input=3, output=1))


def sent(dialect: str, told: ChatReply, *, stream: bool) -> Scripted:
    """The answer as a provider of the dialect sends it, in two pieces where it is streamed."""
    codec = CODECS[dialect, Operation.CHAT]
    if not stream:
        return Scripted(codec.write_reply(told, Losses()))
    writer = codec.stream_writer(ReplyHead("m", 1), Losses())
    pieces = [piece for piece in (*map(writer.write, unfold(told)), writer.end()) if piece]
    return Scripted(pieces[0], b"".join(pieces[1:]), headers=((b"content-type", CONTENT_TYPES[codec.framing]),))


def line_of(*scripts: list[Scripted | GatewayError], there: str) -> Line:
    names = ("one", "two")[: len(scripts)]
    routes = {"fast": [f"{name}/m{number}" for number, name in enumerate(names, 1)]}
    return Line([provider(name, there) for name in names], dict(zip(names, scripts, strict=True)), routes)


async def ask(line: Line, dialect: str, *, stream: bool) -> tuple[int, bytes]:
    """Status and body of the answer to a client of the dialect."""
    said = SAID[dialect] if dialect == "gemini" else {**SAID[dialect], "stream": stream}

    async def receive(limit: int) -> bytes:
        return json.encode(said)

    named = Named("fast", stream=stream) if dialect == "gemini" else None
    line.exchange = Exchange("ex", Call(CODECS[dialect, Operation.CHAT], "/v1/asked", (), named=named), line.clock, 1)
    answer = await serve(line.exchange, receive, line.live.take(), line.ports)
    body = answer.body if answer.stream is None else b"".join([piece async for piece in answer.stream])
    note_end(line.exchange, line.live.take(), line.clock.now())
    return answer.status, body


def heard(dialect: str, body: bytes, *, stream: bool) -> str:
    """The words of the answer."""
    codec = CODECS[dialect, Operation.CHAT]
    whole = fold(events_of(codec, [body])) if stream else codec.read_reply(body)
    return "".join(part.text for one in whole.candidates for part in one.parts if isinstance(part, Text))


def attempts(line: Line) -> list[tuple[str, Kind | None]]:
    assert line.exchange is not None
    return [(one.target.provider, one.error) for one in line.exchange.attempts]


@WAY
@DIALECT
async def test_another_place_says_what_the_first_did_not(dialect: str, stream: bool) -> None:
    line = line_of([sent(dialect, EMPTY, stream=stream)], [sent(dialect, FULL, stream=stream)], there=dialect)
    status, body = await ask(line, dialect, stream=stream)
    assert (status, heard(dialect, body, stream=stream)) == (200, "hello")
    assert attempts(line) == [("one", Kind.EMPTY), ("two", None)]


@WAY
@THERE
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "openai_responses"])
async def test_it_is_noticed_in_a_translated_answer_too(dialect: str, there: str, stream: bool) -> None:
    line = line_of([sent(there, EMPTY, stream=stream)], [sent(there, FULL, stream=stream)], there=there)
    status, body = await ask(line, dialect, stream=stream)
    assert (status, heard(dialect, body, stream=stream)) == (200, "hello")


@WAY
@DIALECT
async def test_who_is_alone_is_asked_once_more_and_then_believed(
    dialect: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("isthmus.routing.walk.BASE", 0.0)
    line = line_of([sent(dialect, EMPTY, stream=stream) for _ in range(2)], there=dialect)
    status, body = await ask(line, dialect, stream=stream)
    assert (status, heard(dialect, body, stream=stream)) == (200, "")
    assert len(line.transport.sent) == 2


@WAY
@DIALECT
async def test_it_is_passed_on_as_it_came_where_nobody_else_answers(dialect: str, stream: bool) -> None:
    empty = sent(dialect, EMPTY, stream=stream)
    came = b"".join(step for step in empty.steps if isinstance(step, bytes))
    line = line_of([empty], [GatewayError(Kind.CREDENTIAL_REJECTED, "no")], there=dialect)
    status, body = await ask(line, dialect, stream=stream)
    assert status == 200
    assert heard(dialect, body, stream=stream) == heard(dialect, came, stream=stream) == ""
    assert line.exchange is not None
    assert line.exchange.error is None
    assert facts(line.exchange, "now").empty


async def test_two_that_say_nothing_are_enough() -> None:
    line = line_of(
        *[[sent("openai_chat", EMPTY, stream=False)], [sent("openai_chat", EMPTY, stream=False)]], there="openai_chat"
    )
    status, _ = await ask(line, "openai_chat", stream=False)
    assert (status, attempts(line)) == (200, [("one", Kind.EMPTY), ("two", None)])
    assert line.exchange is not None
    assert line.exchange.empty


async def test_nobody_rests_for_it() -> None:
    line = line_of(
        [sent("openai_chat", EMPTY, stream=True)], [sent("openai_chat", FULL, stream=True)], there="openai_chat"
    )
    await ask(line, "openai_chat", stream=True)
    assert line.live.take().board.health.state(ONE, line.clock.now()) is State.READY


@WAY
@pytest.mark.parametrize("finish", [Reason.LENGTH, Reason.FILTERED])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
async def test_an_end_with_a_reason_of_its_own_is_an_answer(dialect: str, finish: Reason, stream: bool) -> None:
    line = line_of([sent(dialect, reply(finish=finish), stream=stream)], [], there=dialect)
    status, _ = await ask(line, dialect, stream=stream)
    assert (status, attempts(line)) == (200, [("one", None)])


@pytest.mark.parametrize(
    "told",
    [
        reply(ToolCall("call_1", "look", "{}"), finish=Reason.TOOL_CALLS),
        reply(Refusal("no")),
        reply(Reasoning("", Signature("anthropic", "c2lnbmVk"))),
        reply(Reasoning("hm")),
        reply(usage=Usage(fresh_input=1, output=3)),
        reply(usage=Usage(fresh_input=1, reasoning=3)),
        reply(Text(""), finish=Reason.STOP_SEQUENCE),
    ],
    ids=["a call", "a refusal", "a signed thought", "a thought", "spent tokens", "thought tokens", "a stop sequence"],
)
def test_what_says_anything_is_not_empty(told: ChatReply) -> None:
    assert not says_nothing(told)


@pytest.mark.parametrize("told", [EMPTY, reply(Text("")), reply(usage=Usage(fresh_input=9)), ChatReply("", "m", ())])
def test_what_says_nothing_is_empty(told: ChatReply) -> None:
    assert says_nothing(told)


async def test_a_text_that_is_opened_and_closed_without_a_word_is_empty() -> None:
    line = line_of(
        [sent("anthropic", reply(Text("")), stream=True)], [sent("anthropic", FULL, stream=True)], there="anthropic"
    )
    _, body = await ask(line, "anthropic", stream=True)
    assert heard("anthropic", body, stream=True) == "hello"


ERRORS: Mapping[str, bytes] = {
    "openai_chat": b'{"error":{"message":"busy","type":"server_error","code":null}}',
    "openai_completions": b'{"error":{"message":"busy","type":"server_error","code":null}}',
    "openai_responses": b'{"error":{"message":"busy","type":"server_error","code":null}}',
    "anthropic": b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}',
    "gemini": b'{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}',
    "ollama": b'{"error":"busy"}',
    "ollama_generate": b'{"error":"busy"}',
    "bedrock": b'{"__type":"ServiceUnavailableException","message":"busy"}',
}
"""What a provider of each dialect says under a good status that it should say under a bad one."""
NONSENSE = {
    "a page": b"<!doctype html><html><body>busy</body></html>",
    "no body": b"",
    "a word": b'"busy"',
    "nothing": b"null",
}


@WAY
@DIALECT
async def test_an_error_under_a_good_status_is_an_error(dialect: str, stream: bool) -> None:
    line = line_of([Scripted(ERRORS[dialect])], [sent(dialect, FULL, stream=stream)], there=dialect)
    status, body = await ask(line, dialect, stream=stream)
    assert (status, heard(dialect, body, stream=stream)) == (200, "hello")
    assert attempts(line)[0][1] is not None


@WAY
@THERE
async def test_an_error_under_a_good_status_is_an_error_in_a_translated_answer(there: str, stream: bool) -> None:
    line = line_of([Scripted(ERRORS[there])], [sent(there, FULL, stream=stream)], there=there)
    status, body = await ask(line, "openai_chat", stream=stream)
    assert (status, heard("openai_chat", body, stream=stream)) == (200, "hello")


@WAY
@DIALECT
@pytest.mark.parametrize("what", list(NONSENSE))
async def test_what_is_no_answer_at_all_is_an_error(dialect: str, stream: bool, what: str) -> None:
    kind = b"text/html" if what == "a page" else b"application/json"
    nonsense = Scripted(NONSENSE[what], headers=((b"content-type", kind),))
    line = line_of([nonsense], [sent(dialect, FULL, stream=stream)], there=dialect)
    status, body = await ask(line, dialect, stream=stream)
    assert (status, heard(dialect, body, stream=stream)) == (200, "hello")


@DIALECT
async def test_an_event_stream_without_an_event_is_an_error(dialect: str) -> None:
    framing = CONTENT_TYPES[CODECS[dialect, Operation.CHAT].framing]
    nothing = Scripted(headers=((b"content-type", framing),))
    line = line_of([nothing], [sent(dialect, FULL, stream=True)], there=dialect)
    status, body = await ask(line, dialect, stream=True)
    assert (status, heard(dialect, body, stream=True)) == (200, "hello")


async def test_the_error_is_told_where_nobody_else_answers() -> None:
    line = line_of([Scripted(ERRORS["openai_chat"], headers=JSON)] * 1, [Scripted(b"")], there="openai_chat")
    status, body = await ask(line, "openai_chat", stream=False)
    assert status == 502
    assert "error" in json.decode(body)


async def test_what_a_provider_does_in_the_background_is_begun_once() -> None:
    queued = b'{"id":"resp_1","object":"response","status":"queued","background":true,"model":"m","output":[]}'
    line = line_of([Scripted(queued)], [], there="openai_responses")
    status, _, body = await line.ask(b'{"model":"fast","background":true,"input":"hi"}', "openai_responses")
    assert (status, body) == (200, queued.replace(b'"m"', b'"fast"'))
    assert len(line.transport.sent) == 1
