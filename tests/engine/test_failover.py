"""Who answers when somebody cannot, and from when on nobody else may."""

import asyncio

import pytest

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.facts import facts
from isthmus.engine.serve import serve
from isthmus.wire import json
from support.line import KEY, Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
ROUTES = {"fast": ["one/m1", "two/m2"]}
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"fast","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)


def chunk(delta: str, finish: str = "null") -> bytes:
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fast","choices":[{"index":0,'
        b'"delta":%b,"finish_reason":%b}]}\n\n' % (delta.encode(), finish.encode())
    )


HELLO, STOP, DONE = chunk('{"content":"hello"}'), chunk("{}", '"stop"'), b"data: [DONE]\n\n"
OVERLOADED = b'{"error":{"message":"try later","type":"server_error","code":null}}'


def two(*scripts: list[Scripted | GatewayError]) -> Line:
    return Line([provider("one"), provider("two")], dict(zip(("one", "two"), scripts, strict=True)), ROUTES)


async def test_the_next_target_answers_when_one_is_overloaded() -> None:
    line = two([Scripted(OVERLOADED, status=503)], [Scripted(ANSWER)])
    status, _, body = await line.ask(ASKED)
    assert (status, body) == (200, ANSWER)
    assert [json.decode(sent.body)["model"] for sent in line.transport.sent] == ["m1", "m2"]


async def test_each_attempt_is_noted_with_its_error() -> None:
    line = two([GatewayError(Kind.UNREACHABLE, "refused")], [Scripted(ANSWER)])
    await line.ask(ASKED)
    assert line.exchange is not None
    assert [(a.target.provider, a.error) for a in line.exchange.attempts] == [("one", Kind.UNREACHABLE), ("two", None)]
    assert line.exchange.outcome == "answered"


async def test_a_fault_of_the_request_is_not_tried_elsewhere() -> None:
    refusal = (
        b'{"error":{"message":"temperature must be at most 2","type":"invalid_request_error","param":"temperature"}}'
    )
    line = two([Scripted(refusal, status=400)], [])
    status, _, body = await line.ask(ASKED)
    assert (status, body) == (400, refusal)
    assert len(line.transport.sent) == 1


async def test_a_stream_that_begins_with_an_error_is_only_a_failed_attempt() -> None:
    error = b'data: {"error":{"message":"overloaded","type":"server_error","code":503}}\n\n'
    line = two([Scripted(b": wait\n\n", error, headers=SSE)], [Scripted(HELLO, STOP, DONE, headers=SSE)])
    status, _, body = await line.ask(STREAMED)
    assert status == 200
    assert body == HELLO + STOP + DONE


async def test_a_stream_that_is_cut_before_its_first_event_is_only_a_failed_attempt() -> None:
    cut = GatewayError(Kind.CUT_SHORT, "reset")
    line = two([Scripted(cut, headers=SSE)], [Scripted(HELLO, STOP, DONE, headers=SSE)])
    _, _, body = await line.ask(STREAMED)
    assert body == HELLO + STOP + DONE


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
async def test_a_fault_after_the_first_event_is_told_in_the_callers_dialect(dialect: str) -> None:
    line = two([Scripted(HELLO, GatewayError(Kind.CUT_SHORT, "the connection was reset"), headers=SSE)], [])
    asked = STREAMED[:-1] + b',"max_tokens":9}'
    status, _, body = await line.ask(asked, dialect)
    assert status == 200
    assert b"hello" in body
    assert b"[DONE]" not in body
    assert b"message_stop" not in body
    last = body.rstrip().rsplit(b"data: ", 1)[1]
    assert "error" in json.decode(last)
    assert line.exchange is not None
    assert line.exchange.outcome == "failed"


async def test_a_stream_that_just_ends_is_told_as_cut() -> None:
    line = two([Scripted(HELLO, headers=SSE)], [])
    _, _, body = await line.ask(STREAMED)
    assert body.startswith(HELLO)
    assert "error" in json.decode(body[len(HELLO) :].removeprefix(b"data: "))


async def test_the_only_target_is_tried_once_more_when_that_may_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.routing.walk.BASE", 0.0)
    line = Line([provider("one")], {"one": [Scripted(OVERLOADED, status=503), Scripted(ANSWER)]})
    status, _, _ = await line.ask(ASKED.replace(b"fast", b"m1"))
    assert status == 200


async def test_the_last_error_is_told_when_nobody_answers() -> None:
    limited = Scripted(OVERLOADED, status=429, headers=((b"retry-after", b"7"), (b"content-type", b"application/json")))
    line = two([GatewayError(Kind.UNREACHABLE, "refused")], [limited])
    status, headers, _ = await line.ask(ASKED)
    assert status == 429
    assert dict(headers)[b"retry-after"] == b"7"


async def test_every_upstream_answer_is_closed() -> None:
    line = two([Scripted(OVERLOADED, status=503)], [Scripted(HELLO, STOP, DONE, headers=SSE)])
    await line.ask(STREAMED)
    assert all(answer.closed.is_set() for answer in line.transport.played)


async def test_a_client_that_leaves_before_the_answer_ends_the_upstreams_work() -> None:
    never = asyncio.Event()
    line = two([Scripted(never, ANSWER)], [])
    waiting = asyncio.create_task(line.ask(ASKED))
    while not line.transport.played:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert line.transport.played[0].closed.is_set()


async def test_a_client_that_leaves_in_mid_stream_ends_the_upstreams_work() -> None:
    line = two([Scripted(HELLO, asyncio.Event(), headers=SSE)], [])

    async def receive(limit: int) -> bytes:
        return STREAMED

    answer = await serve(line.open(), receive, line.live.take(), line.ports)
    assert answer.stream is not None
    assert await anext(answer.stream) == HELLO
    await answer.stream.aclose()
    assert line.transport.played[0].closed.is_set()


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_key_is_never_echoed_whatever_the_upstream_says(dialect: str, status: int) -> None:
    words = json.encode({"error": {"message": f"bad key {KEY} given", "type": "x", "code": KEY, "param": None}})
    line = Line([provider("one")], {"one": [Scripted(words, status=status)] * 2})
    _, headers, body = await line.ask(ASKED.replace(b"fast", b"m1")[:-1] + b',"max_tokens":9}', dialect)
    assert KEY.encode() not in body
    assert KEY not in repr(headers)
    assert line.exchange is not None
    assert KEY not in repr(facts(line.exchange, "now"))
