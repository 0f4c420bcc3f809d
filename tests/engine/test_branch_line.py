"""A request takes a branch of its route by what it is like, and a conversation takes the same one again."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.clients import Client
from isthmus.engine.traits import RequestTraits, draw_of
from isthmus.routing.plan import Branch, Route, Rules, Target, When, first_of
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import Line, provider

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
PLAIN = b'{"model":"smart","messages":[{"role":"user","content":"hi"}]}'
TOOLED = (
    b'{"model":"smart","messages":[{"role":"user","content":"hi"}],'
    b'"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]}'
)
PICTURED = (
    b'{"model":"smart","messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},'
    b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}'
)
LONG = b'{"model":"smart","messages":[{"role":"user","content":"%b"}]}' % (b"word " * 5000)
IN_A_RESULT = (
    b'{"model":"smart","max_tokens":9,"messages":[{"role":"user","content":"look"},'
    b'{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"see","input":{}}]},'
    b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"image","source":'
    b'{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]}'
)


def branched(*branches: Branch, answers: int = 1) -> Line:
    line = Line(
        [provider("own"), provider("other")],
        {name: [Scripted(ANSWER) for _ in range(answers)] for name in ("own", "other")},
    )
    route = Route(tiers=first_of(Target("own", "m1")), rules=Rules(branches=branches))
    line.live.swap(replace(line.live.take().snapshot, routes={"smart": route}))
    return line


def on(when: When) -> Line:
    return branched(Branch(tiers=first_of(Target("other", "m2")), when=when))


async def asked_model(line: Line, body: bytes, dialect: str = "openai_chat", headers: Headers = ()) -> object:
    status, _, _ = await line.ask(body, dialect, headers)
    assert status == 200
    return json.decode(line.transport.sent[-1].body)["model"]


CASES: list[tuple[When, bytes, Headers]] = [
    (When(tools=True), TOOLED, ()),
    (When(images=True), PICTURED, ()),
    (When(tokens_over=2000), LONG, ()),
    (When(tags=("batch",)), PLAIN, ((b"x-isthmus-tags", b"night, batch"),)),
    (When(header=("x-team", "blue")), PLAIN, ((b"x-team", b"blue"),)),
]


@pytest.mark.parametrize(("when", "body", "headers"), CASES, ids=["tools", "images", "tokens", "tags", "header"])
async def test_a_request_that_fits_takes_the_branch_and_a_plain_one_does_not(
    when: When, body: bytes, headers: Headers
) -> None:
    assert await asked_model(on(when), body, headers=headers) == "m2"
    assert await asked_model(on(when), PLAIN) == "m1"


async def test_a_picture_in_a_tools_result_is_seen() -> None:
    assert await asked_model(on(When(images=True)), IN_A_RESULT, "anthropic") == "m2"


async def test_the_plan_says_which_branch_was_taken() -> None:
    line = on(When(tools=True))
    await line.ask(TOOLED)
    assert line.exchange is not None
    assert line.exchange.plan is not None
    assert line.exchange.plan.because == "smart is a route; branch 1 of smart takes it"


async def test_a_request_that_cannot_be_read_here_goes_the_routes_own_way() -> None:
    """Its provider may understand it: nothing is refused for the sake of a condition."""
    odd = b'{"model":"smart","messages":[{"role":"user","content":7}]}'
    line = on(When(tools=False))
    await line.ask(odd)
    assert line.transport.sent[0].body == odd.replace(b"smart", b"m1")


async def test_a_conversation_that_names_itself_takes_the_same_branch_again() -> None:
    half = Branch(tiers=first_of(Target("other", "m2")), share=0.5)
    line = branched(half, answers=40)
    taken = {}
    for number in range(12):
        headers = ((b"x-isthmus-session", b"talk-%d" % number),)
        models = {await asked_model(line, PLAIN, headers=headers) for _ in range(3)}
        assert len(models) == 1
        taken[number] = models.pop()
    assert set(taken.values()) == {"m1", "m2"}


def drawn(line: Line, session: bytes | None, client: str = "alice") -> float:
    exchange = line.open(headers=() if session is None else ((b"x-isthmus-session", session),))
    exchange.client = Client(client)
    return draw_of(exchange, PLAIN)


def test_sessions_are_spread_evenly_and_clients_have_their_own() -> None:
    line = branched()
    draws = [drawn(line, b"%d" % number) for number in range(1000)]
    assert 0.45 < sum(draws) / 1000 < 0.55
    assert all(0 <= draw < 1 for draw in draws)
    assert drawn(line, b"1") != drawn(line, b"1", client="bob")
    assert drawn(line, None) != drawn(line, None)


def test_the_request_is_read_once_and_only_when_it_matters() -> None:
    line, reads = branched(), 0

    def read() -> None:
        nonlocal reads
        reads += 1
        raise GatewayError(Kind.INVALID, "unreadable")

    exchange = line.open(headers=((b"x-isthmus-tags", b""),))
    traits = RequestTraits(exchange, read, line.ports)
    assert traits.tags == frozenset()
    assert not traits.stream
    assert reads == 0
    assert traits.tools() is traits.images() is traits.tokens() is None
    assert reads == 1
