"""Whatever becomes of requests, limits hold while they run, and nothing is held when all are over."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admission import settle
from isthmus.engine.answer import Chunks
from isthmus.engine.exchange import Exchange
from isthmus.engine.serve import serve
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.places import Credential
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
HELLO = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
)
END = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}\n\n'
    b"data: [DONE]\n\n"
)
LIMITS = (
    Limit("key:one/a", Measure.RUNNING, 2),
    Limit("key:one/a", Measure.REQUESTS, 8, 60, 12),
    Limit("key:one/b", Measure.TOKENS, 2000, 60, 12),
    Limit("provider:one", Measure.RUNNING, 3),
    Limit("client:anyone", Measure.RUNNING, 4),
    Limit("client:anyone", Measure.REQUESTS, 12, 60, 12),
)
ANSWERS = ("whole", "cut", "overloaded", "unreachable")
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "read", "leave"]), st.integers(0, 9), st.floats(0, 15)), min_size=5, max_size=40
)


class Upstreams:
    """Answers as a list of words says, over and over."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.asked = 0

    async def send(self, outgoing: object, deadlines: object) -> Scripted:
        word = self.words[self.asked % len(self.words)]
        self.asked += 1
        if word == "unreachable":
            raise GatewayError(Kind.UNREACHABLE, "refused")
        if word == "overloaded":
            return Scripted(b'{"error":{"message":"later"}}', status=503)
        return Scripted(HELLO, *([END] if word == "whole" else []), headers=SSE)


def gateway(words: list[str]) -> Line:
    line = Line([provider("one")], {}, {"fast": ["one/m"]})
    allowances: dict[str, tuple[Limit, ...]] = {}
    for limit in LIMITS:
        allowances[limit.scope] = (*allowances.get(limit.scope, ()), limit)
    line.live.swap(
        replace(
            line.live.take().snapshot,
            limits=replace(line.live.take().snapshot.limits, wait=0.0),
            credentials={"one": (Credential("a"), Credential("b"))},
            keys={"one": dict.fromkeys("ab", provider("one"))},
            allowances=allowances,
        )
    )
    line.ports.transport = Upstreams(words)  # type: ignore[assignment]  # all of it that is used
    line.ports.limiter = LocalLimiter(line.clock.time)
    return line


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, words=st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=6))
def test_limits_hold_and_nothing_leaks(steps: list[tuple[str, int, float]], words: list[str]) -> None:
    asyncio.run(_play(gateway(words), steps))


async def _play(line: Line, steps: list[tuple[str, int, float]]) -> None:
    running = []
    for what, which, seconds in steps:
        line.clock.move(seconds)
        if what == "ask":
            running.append(await _asked(line))
        elif running:
            await _over(line, *running.pop(which % len(running)), leave=what == "leave")
        _check(line)
    for exchange, stream in running:
        await _over(line, exchange, stream, leave=True)
    assert all(_used(line, limit) == 0 for limit in LIMITS if limit.measure is Measure.RUNNING)
    line.clock.move(130)
    assert all(_used(line, limit) == 0 for limit in LIMITS)


async def _asked(line: Line) -> tuple[Exchange, Chunks | None]:
    """A request, until its answer begins or it is refused."""

    async def receive(limit: int) -> bytes:
        return STREAMED

    exchange = line.open()
    answer = await serve(exchange, receive, line.live.take(), line.ports)
    if answer.stream is not None:
        await anext(answer.stream)
    return exchange, answer.stream


async def _over(line: Line, exchange: Exchange, stream: Chunks | None, *, leave: bool) -> None:
    """The client leaves, or reads its answer to the end."""
    exchange.cancelled = leave
    if stream is not None and not leave:
        async for _ in stream:
            pass
    if stream is not None:
        await stream.aclose()
    settle(exchange, line.live.take(), line.ports)


def _check(line: Line) -> None:
    for limit in LIMITS:
        assert _used(line, limit) <= limit.most, limit


def _used(line: Line, limit: Limit) -> int:
    assert line.ports.limiter is not None
    return round(line.ports.limiter.share(limit) * limit.most)
