"""A share of a route's requests is sent to a second target too; nobody but the log sees what becomes of it."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period
from isthmus.engine.facts import facts
from isthmus.engine.queue import Queue
from isthmus.engine.shadow import Shadows
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.routing.plan import Route, Rules, Shadow, Target, first_of
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from support.line import Line, provider

ASKED = b'{"model":"smart","messages":[{"role":"user","content":"hi"}]}'
STREAMED = ASKED.replace(b'"model"', b'"stream":true,"model"')
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"smart","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
OTHER = ANSWER.replace(b"hello", b"good day")
HELLO = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"smart","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\n'
)
PIECES = (HELLO, b"data: [DONE]\n\n")


def shadowed(
    own: Sequence[Scripted | GatewayError],
    other: Sequence[Scripted | GatewayError],
    *,
    share: float = 1.0,
    most: int = 64,
) -> Line:
    line = Line([provider("own"), provider("other")], {"own": own, "other": other})
    rules = Rules(shadow=Shadow(Target("other", "m2"), share))
    route = Route(tiers=first_of(Target("own", "m1")), rules=rules)
    line.live.swap(replace(line.live.take().snapshot, routes={"smart": route}))
    line.ports.shadows = Shadows(most)
    return line


def shadows(line: Line) -> Shadows:
    assert line.ports.shadows is not None
    return line.ports.shadows


async def settled(line: Line) -> None:
    async with asyncio.timeout(5):
        while shadows(line).running:
            await asyncio.sleep(0)


async def test_the_shadow_is_sent_the_request_and_the_caller_gets_the_other_answer() -> None:
    line = shadowed([Scripted(ANSWER)], [Scripted(OTHER)])
    _, _, body = await line.ask(ASKED)
    await settled(line)
    assert body == ANSWER
    assert [(one.origin.host, json.decode(one.body)["model"]) for one in line.transport.sent] == [
        ("own.example.com", "m1"),
        ("other.example.com", "m2"),
    ]


async def test_a_shadow_is_logged_as_an_exchange_of_its_own() -> None:
    line = shadowed([Scripted(ANSWER)], [Scripted(OTHER)])
    await line.ask(ASKED)
    await settled(line)
    (shadow,) = line.recorded.exchanges
    told = facts(shadow, "now")
    assert (told.id, told.path, told.client, told.target) == ("ex_test-shadow", "shadow", "shadow", "other/m2")
    assert (told.status, told.outcome, told.input_tokens) == (200, "answered", 3)


async def test_a_streamed_shadow_is_read_to_its_end() -> None:
    line = shadowed([Scripted(*PIECES, headers=SSE)], [Scripted(*PIECES, headers=SSE)])
    await line.ask(STREAMED)
    await settled(line)
    (shadow,) = line.recorded.exchanges
    assert shadow.outcome == "answered"
    assert shadow.bytes_out == sum(map(len, PIECES))


@pytest.mark.parametrize("broken", ["refused", "unreachable", "cut"])
async def test_a_shadow_that_fails_harms_nobody(broken: str) -> None:
    answers: dict[str, Scripted | GatewayError] = {
        "refused": Scripted(b"{}", status=400),
        "unreachable": GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=60.0),
        "cut": Scripted(HELLO[:50], GatewayError(Kind.TIMED_OUT, "silence"), headers=SSE),
    }
    line = shadowed([Scripted(*PIECES, headers=SSE)], [answers[broken]])
    status, _, body = await line.ask(STREAMED)
    await settled(line)
    assert (status, body) == (200, b"".join(PIECES))
    assert line.exchange is not None
    assert line.exchange.error is None
    assert [one.outcome for one in line.recorded.exchanges] == ["failed"]


async def test_a_slow_shadow_delays_nobody() -> None:
    never = asyncio.Event()
    line = shadowed([Scripted(ANSWER)], [Scripted(never, OTHER)])
    _, _, body = await line.ask(ASKED)
    assert body == ANSWER
    await asyncio.sleep(0)
    assert shadows(line).running == 1
    await shadows(line).close()
    assert shadows(line).running == 0
    assert [one.outcome for one in line.recorded.exchanges] == ["cancelled"]
    assert line.live.take().board.meters.errors(Place("other", "key", "m2"), 0.0) == 0.0


async def test_beyond_the_bound_shadows_are_dropped_and_counted() -> None:
    never = asyncio.Event()
    line = shadowed([Scripted(ANSWER) for _ in range(5)], [Scripted(never) for _ in range(2)], most=2)
    for _ in range(5):
        await line.ask(ASKED)
    assert (shadows(line).running, shadows(line).dropped) == (2, 3)
    await shadows(line).close()


async def test_no_share_is_no_shadow() -> None:
    line = shadowed([Scripted(ANSWER)], [], share=0.0)
    await line.ask(ASKED)
    assert shadows(line).running == 0


async def test_a_request_that_nobody_answers_has_no_shadow() -> None:
    line = shadowed([Scripted(b"{}", status=400)], [])
    status, _, _ = await line.ask(ASKED)
    assert status == 400
    assert shadows(line).running == 0


async def test_a_shadow_claims_of_its_provider_and_of_nobody_else() -> None:
    line = shadowed([Scripted(ANSWER) for _ in range(3)], [Scripted(OTHER)])
    allowances = {
        "provider:other": (Limit("provider:other", Measure.REQUESTS, 1, 60, 12),),
        "route:smart": (Limit("route:smart", Measure.REQUESTS, 3, 60, 12),),
        "global:": (Limit("global:", Measure.REQUESTS, 3, period=Period.DAY),),
    }
    line.live.swap(replace(line.live.take().snapshot, allowances=allowances))
    line.ports.limiter = LocalLimiter(line.clock.time)
    for _ in range(3):
        status, _, _ = await line.ask(ASKED)
        assert status == 200
        await settled(line)
    assert len([one for one in line.transport.sent if one.origin.host == "other.example.com"]) == 1


async def test_a_shadow_waits_for_no_place_and_is_tried_once() -> None:
    line = shadowed([Scripted(ANSWER), Scripted(ANSWER)], [Scripted(b"{}", status=503)])
    line.ports.limiter = LocalLimiter(line.clock.time)
    line.ports.queue = Queue(line.clock)
    busy = Limit("provider:other", Measure.RUNNING, 1)
    line.live.swap(replace(line.live.take().snapshot, allowances={"provider:other": (busy,)}))
    grant = await line.ports.limiter.claim([Claim(busy, 1)])
    await line.ask(ASKED)
    await settled(line)
    assert isinstance(grant, Grant)
    line.ports.limiter.settle(grant, {})
    await line.ask(ASKED)
    await settled(line)
    assert [one.error.kind for one in line.recorded.exchanges if one.error is not None] == [Kind.OVERLOADED] * 2
    assert [one.origin.host for one in line.transport.sent] == ["own.example.com"] * 2 + ["other.example.com"]
