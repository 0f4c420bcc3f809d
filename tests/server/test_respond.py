"""Silence, pings, and clients that leave: the answer on its way to one client."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import Gate
from isthmus.engine.snapshot import Limits
from isthmus.server import patrol
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

STREAMED = b'{"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
UNARY = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
HELLO = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"hello"},"finish_reason":null}]}\n\n'
)
STOP = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


@pytest.fixture(autouse=True)
def watch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patrol, "EVERY", 0.0)


def impatient(*answers: Scripted | GatewayError) -> Line:
    """A gateway that pings after a hundredth of a second."""
    line = Line([provider("one")], {"one": list(answers)})
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(ping_every=0.01)))
    return line


@pytest.mark.parametrize(("path", "ping"), [(CHAT, b": ping\n\n"), (MESSAGES, b"event: ping\n")])
async def test_a_silent_upstream_is_covered_by_pings_before_the_first_byte(path: str, ping: bytes) -> None:
    answered = asyncio.Event()
    visit = Visit(application(impatient(Scripted(answered, HELLO, STOP, headers=SSE))), path, STREAMED)
    await visit.until(lambda so_far: so_far.body.count(ping) >= 2)
    assert visit.status == 200
    answered.set()
    await visit.done()
    assert b"hello" in visit.body
    assert b"error" not in visit.body


async def test_after_a_ping_another_target_may_still_answer() -> None:
    failed = asyncio.Event()
    cut = GatewayError(Kind.CUT_SHORT, "reset")
    line = Line(
        [provider("one"), provider("two")],
        {"one": [Scripted(failed, cut, headers=SSE)], "two": [Scripted(HELLO, STOP, headers=SSE)]},
        {"m": ["one/m1", "two/m2"]},
    )
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(ping_every=0.01)))
    visit = Visit(application(line), CHAT, STREAMED)
    await visit.until(lambda so_far: b": ping" in so_far.body)
    failed.set()
    await visit.done()
    assert visit.body.replace(b": ping\n\n", b"") == HELLO + STOP


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_an_error_after_a_ping_is_told_as_an_event(path: str) -> None:
    failed = asyncio.Event()
    refusal = Scripted(failed, b'{"error":{"message":"slow down","type":"rate_limit"}}', status=429)
    visit = Visit(application(impatient(refusal)), path, STREAMED)
    await visit.until(lambda so_far: b"ping" in so_far.body)
    failed.set()
    await visit.done()
    last = visit.body.rstrip().rsplit(b"data: ", 1)[1]
    assert "slow down" in json.decode(last)["error"]["message"]
    assert b"[DONE]" not in visit.body


async def test_a_ping_never_stands_inside_an_event() -> None:
    goes_on = asyncio.Event()
    line = impatient(Scripted(HELLO, HELLO[:40], goes_on, HELLO[40:], STOP, headers=SSE))
    asked = STREAMED[:-1] + b',"stream_options":{"include_usage":true}}'
    visit = Visit(application(line), CHAT, asked)
    await visit.until(lambda so_far: so_far.body.endswith(b": ping\n\n"))
    goes_on.set()
    await visit.done()
    assert visit.body.replace(b": ping\n\n", b"") == HELLO + HELLO + STOP
    assert visit.body.endswith(HELLO + STOP)


async def test_a_unary_answer_is_never_preceded_by_pings() -> None:
    answered = asyncio.Event()
    line = impatient(Scripted(answered, b'{"error":{"message":"no","type":"x"}}', status=400))
    visit = Visit(application(line), CHAT, UNARY)
    waited = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, waited.set)
    await waited.wait()
    assert not visit.body
    answered.set()
    assert (await visit.done()).status == 400


@pytest.mark.parametrize("body", [UNARY, STREAMED])
async def test_a_client_that_leaves_ends_the_upstreams_work(body: bytes) -> None:
    line = Line([provider("one")], {"one": [Scripted(asyncio.Event(), headers=SSE)]})
    gate = Gate()
    visit = Visit(application(line, gate), CHAT, body)
    while not line.transport.played:
        await asyncio.sleep(0)
    visit.leave()
    await visit.done()
    assert line.transport.played[0].closed.is_set()
    assert gate.running == 0
    recorded = line.recorded.exchanges
    assert [exchange.outcome for exchange in recorded] == ["cancelled"]


async def test_a_stopping_gateway_refuses_new_exchanges_with_503() -> None:
    gate = Gate()
    gate.closing = True
    visit = await Visit(application(Line([provider("one")], {}), gate), MESSAGES, UNARY).done()
    assert visit.status == 503
    assert visit.headers[b"retry-after"] == b"1"
    assert json.decode(visit.body)["type"] == "error"


async def test_a_full_gateway_refuses_and_keeps_count() -> None:
    line = Line([provider("one")], {})
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(exchanges=0)))
    gate = Gate()
    visit = await Visit(application(line, gate), CHAT, UNARY).done()
    assert visit.status == 503
    assert gate.running == 0


async def test_a_bug_of_ours_is_told_as_one_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Scripted):
        async def body(self, limit: int) -> bytes:
            raise ZeroDivisionError

    visit = await Visit(application(Line([provider("one")], {"one": [Broken()]})), CHAT, UNARY).done()
    assert visit.status == 500
    assert "ZeroDivision" not in visit.body.decode()
    assert visit.headers[b"x-isthmus-id"].decode() in caplog.text


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/nowhere", "POST", 404), (CHAT, "GET", 405), (MESSAGES, "PUT", 405), ("/", "HEAD", 200)],
)
async def test_a_wrong_path_or_method_is_told_in_the_callers_dialect(path: str, method: str, status: int) -> None:
    visit = await Visit(application(Line([provider("one")], {})), path, method=method).done()
    assert visit.status == status
    if status == 405:
        assert visit.headers[b"allow"] == b"POST"
    if status >= 400:
        assert json.decode(visit.body)["error"]["message"]


async def test_a_body_too_large_is_refused_and_the_connection_given_up() -> None:
    headers = ((b"content-length", b"9999999999"),)
    visit = await Visit(application(Line([provider("one")], {})), CHAT, b"", headers=headers).done()
    assert visit.status == 413
    assert visit.headers[b"connection"] == b"close"
