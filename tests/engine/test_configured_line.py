"""What the file says of routes, keys and limits is what becomes of requests."""

from collections.abc import Mapping, Sequence

import pytest

from fakes.transport import Scripted, ScriptedTransport
from isthmus.config.compile import compile_config
from isthmus.core.errors import GatewayError
from isthmus.engine.admission import settle
from isthmus.engine.live import Live
from isthmus.routing.limits import Claim
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.configured import config_of
from support.line import Line

FILE = """
providers:
  near: {type: compatible, base-url: "http://near.example.com/v1", models: [small, large], %s}
  far: {type: compatible, base-url: "http://far.example.com/v1", api-key: far-key-0123456789, models: [big]}
routes:
  smart: {targets: [near/small], %s}
aliases: {clever: smart}
"""
KEYS = "api-keys: [{name: a, key: near-key-a-0123, %s}, {name: b, key: near-key-b-0123}]"
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}'
)
REFUSED = b'{"error":{"message":"later"}}'


class Configured:
    """The engine on a configuration that was written."""

    def __init__(self, provider: str = "", route: str = "", **scripts: Sequence[Scripted | GatewayError]) -> None:
        answers = {name: scripts.get(name, [Scripted(ANSWER) for _ in range(9)]) for name in ("near", "far")}
        self.line = Line([], {})
        self.line.live = Live(compile_config(config_of(FILE % (provider, route))))
        self.transport = ScriptedTransport({f"{name}.example.com": script for name, script in answers.items()})
        self.line.ports.transport = self.transport
        self.line.ports.limiter = LocalLimiter(self.line.clock.time)

    async def ask(self, model: str = "smart", headers: Headers = (), **fields: object) -> int:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **fields}
        status, _, _ = await self.line.ask(json.encode(body), headers=headers)
        assert self.line.exchange is not None
        settle(self.line.exchange, self.line.live.take(), self.line.ports)
        return status

    @property
    def asked(self) -> list[str]:
        """The keys of all requests that were sent, without what they have in common."""
        return [self._key(dict(one.headers)) for one in self.transport.sent]

    def _key(self, headers: Mapping[bytes, bytes]) -> str:
        return headers.get(b"authorization", b"none").decode().removeprefix("Bearer ").split("-0123")[0]


async def test_a_key_that_has_used_up_its_minute_is_left_out_until_the_next() -> None:
    gateway = Configured(KEYS % "requests-per-minute: 1")
    assert [await gateway.ask() for _ in range(4)] == [200] * 4
    assert sorted(gateway.asked) == ["near-key-a", "near-key-b", "near-key-b", "near-key-b"]


async def test_a_key_is_asked_only_for_its_models() -> None:
    gateway = Configured(KEYS % "models: [large]")
    for _ in range(3):
        await gateway.ask("near/small")
    assert gateway.asked == ["near-key-b"] * 3


@pytest.mark.parametrize("name", ["smart", "clever"])
async def test_a_routes_requests_at_a_time_are_those_of_its_aliases_too(name: str) -> None:
    gateway = Configured(route="concurrency: 1")
    (limit,) = gateway.line.live.take().snapshot.allowances["route:smart"]
    assert gateway.line.ports.limiter is not None
    await gateway.line.ports.limiter.claim([Claim(limit, 1)])
    assert await gateway.ask(name) == 429


async def test_a_fallback_answers_when_the_routes_own_targets_do_not() -> None:
    gateway = Configured(route="fallbacks: [big]", near=[Scripted(REFUSED, status=503)])
    assert await gateway.ask() == 200
    assert gateway.asked == ["none", "far-key"]


@pytest.mark.parametrize(
    ("when", "headers", "fields"),
    [
        ("{header: {X-Team: blue}}", ((b"x-team", b"blue"),), {}),
        ("{tags: [night]}", ((b"x-isthmus-tags", b"batch, night"),), {}),
        ("{dialects: [openai], stream: false}", (), {}),
        ("{tools: true}", (), {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}),
        ("{tokens-over: 500}", (), {"messages": [{"role": "user", "content": "word " * 1000}]}),
    ],
)
async def test_a_branch_takes_the_requests_it_is_for(when: str, headers: Headers, fields: dict[str, object]) -> None:
    gateway = Configured(route=f"branches: [{{when: {when}, targets: [far/big]}}]")
    assert await gateway.ask(headers=headers, **fields) == 200
    assert gateway.asked == ["far-key"]


@pytest.mark.parametrize(
    "when", ["{header: {X-Team: '*'}}", "{tags: [night]}", "{dialects: [anthropic]}", "{images: true}"]
)
async def test_a_branch_leaves_the_others_to_the_route(when: str) -> None:
    gateway = Configured(route=f"branches: [{{when: {when}, targets: [far/big]}}]")
    assert await gateway.ask() == 200
    assert gateway.asked == ["none"]
