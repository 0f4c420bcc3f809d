"""Whether a request may lose something on its way, and who decides it."""

import pytest

from fakes.transport import Scripted
from isthmus.core.losses import OnLoss
from isthmus.engine.clients import Client
from isthmus.engine.exchange import Exchange
from isthmus.engine.loss_policy import on_loss
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.plan import Plan, Target, first_of
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import Line, provider

LOSSY = b'{"model":"m","frequency_penalty":1,"seed":7,"messages":[{"role":"user","content":"hi"}]}'
WHOLE = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
OPEN_CALL = (
    b'{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":'
    b'[{"id":"call_a","type":"function","function":{"name":"clock","arguments":"{}"}}]}]}'
)
ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)
REFUSE = ((b"x-isthmus-on-loss", b"refuse"),)
ALLOW = ((b"x-isthmus-on-loss", b"Allow"),)


def line() -> Line:
    return Line([provider("one", "anthropic")], {"one": [Scripted(ANSWER)]})


async def test_a_loss_is_allowed_and_told_unless_it_is_to_be_refused() -> None:
    status, headers, _ = await line().ask(LOSSY)
    assert status == 200
    assert b"sampling.seed;dropped" in dict(headers)[b"x-isthmus-losses"]


async def test_a_refusal_names_every_item_and_nothing_is_sent() -> None:
    asked = line()
    status, _, body = await asked.ask(LOSSY, headers=REFUSE)
    assert status == 400
    message = json.decode(body)["error"]["message"]
    assert "sampling.seed would be dropped" in message
    assert "sampling.frequency_penalty would be dropped" in message
    assert asked.transport.sent == []


async def test_a_request_without_loss_is_answered_all_the_same() -> None:
    status, _, _ = await line().ask(WHOLE, headers=REFUSE)
    assert status == 200


async def test_another_target_that_can_say_it_answers_instead() -> None:
    own = (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
    )
    two = Line(
        [provider("one", "anthropic"), provider("two")],
        {"one": [], "two": [Scripted(own)]},
        {"m": ["one/m", "two/m"]},
    )
    status, _, body = await two.ask(LOSSY, headers=REFUSE)
    assert (status, body) == (200, own)


async def test_a_word_that_nobody_knows_is_refused() -> None:
    status, _, body = await line().ask(LOSSY, headers=((b"x-isthmus-on-loss", b"maybe"),))
    assert status == 400
    assert "must be 'allow' or 'refuse'" in json.decode(body)["error"]["message"]


async def test_a_call_that_was_never_answered_is_mended_and_told() -> None:
    asked = line()
    status, headers, _ = await asked.ask(OPEN_CALL)
    assert status == 200
    assert b"messages[1].parts[0];emulated" in dict(headers)[b"x-isthmus-losses"]
    last = json.decode(asked.transport.sent[0].body)["messages"][-1]
    assert (last["role"], last["content"][0]["type"], last["content"][0]["is_error"]) == ("user", "tool_result", True)


@pytest.mark.parametrize(
    ("headers", "client", "route", "default", "meant"),
    [
        ((), None, None, OnLoss.ALLOW, OnLoss.ALLOW),
        ((), None, None, OnLoss.REFUSE, OnLoss.REFUSE),
        ((), None, OnLoss.REFUSE, OnLoss.ALLOW, OnLoss.REFUSE),
        ((), OnLoss.ALLOW, OnLoss.REFUSE, OnLoss.REFUSE, OnLoss.ALLOW),
        (REFUSE, OnLoss.ALLOW, OnLoss.ALLOW, OnLoss.ALLOW, OnLoss.REFUSE),
        (ALLOW, OnLoss.REFUSE, OnLoss.REFUSE, OnLoss.REFUSE, OnLoss.ALLOW),
    ],
)
def test_the_nearest_word_decides(
    headers: Headers, client: OnLoss | None, route: OnLoss | None, default: OnLoss, meant: OnLoss
) -> None:
    exchange: Exchange = line().open(headers=headers)
    exchange.client = Client("one", client)
    exchange.plan = Plan(first_of(Target("first", "m-1")), "m is a route", name="m")
    routes = {} if route is None else {"m": route}
    assert on_loss(exchange, Snapshot(providers={}, on_loss=default, route_on_loss=routes)) is meant
