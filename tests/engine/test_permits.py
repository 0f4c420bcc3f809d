"""What a client key may use: operations, models, providers and upstream keys, and how it is told what it may not."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.chat import ReasoningMode
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.engine.answer import Answer
from isthmus.engine.clients import Client
from isthmus.engine.count import serve_count
from isthmus.engine.embed import serve_embedding
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.permits import OPERATIONS, may_ask
from isthmus.engine.records import Permits
from isthmus.engine.serve import serve
from isthmus.routing.naming import Naming
from isthmus.routing.plan import Branch, Route, Rules, Shadow, Target, When, first_of
from isthmus.wire import json
from isthmus.wire.headers import Headers, find
from support.explaining import change, explained, pooled, why
from support.line import Line, provider

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
FAILS = GatewayError(Kind.UNREACHABLE, "nobody there")
PRESENTED = "a-client-key"
ROUTES = {"fast": ["one/m1", "two/m2"]}


class PermitLine(Line):
    """The line for one client, whose every provider answers ten times."""

    def __init__(self, permits: Permits | None, *names: str, routes: Mapping[str, list[str]] = ROUTES) -> None:
        providers = [provider(name) for name in names or ("one", "two")]
        super().__init__(providers, {one.name: [Scripted(ANSWER) for _ in range(10)] for one in providers}, routes)
        change(self, clients={hashlib.sha256(PRESENTED.encode()).digest(): Client("alice", permits=permits)})

    def open(self, dialect: str = "openai_chat", headers: Headers = ()) -> Exchange:
        exchange = super().open(dialect, headers)
        exchange.call = replace(exchange.call, presented=PRESENTED)
        return exchange

    async def chat(self, model: str) -> int:
        """The status of a request for the model."""
        body = json.encode({"model": model, "messages": [{"role": "user", "content": "hi"}]})
        return (await self.ask(body))[0]

    async def operate(self, operation: Operation, model: str = "fast") -> tuple[int, bytes]:
        """Status and body of a request of this operation."""
        serves, codec, body = _OPERATING[operation]
        call = Call(codec, "/v1/asked", (), PRESENTED)
        self.exchange = Exchange("ex_test", call, self.ports.clock, 1)

        async def receive(limit: int) -> bytes:
            return body % model.encode()

        answer = await serves(self.exchange, receive, self.live.take(), self.ports)
        return answer.status, answer.body

    @property
    def asked(self) -> list[str]:
        """The hosts that were sent anything, in order."""
        return [one.origin.host.partition(".")[0] for one in self.transport.sent]


_TALK = b'{"model":"%b","messages":[{"role":"user","content":"hi"}],"max_tokens":9}'
_OPERATING: Mapping[Operation, tuple[Callable[..., Awaitable[Answer]], object, bytes]] = {
    Operation.CHAT: (serve, CODECS["openai_chat", Operation.CHAT], _TALK),
    Operation.EMBED: (serve_embedding, EMBED_CODECS["openai"], b'{"model":"%b","input":"the sea"}'),
    Operation.COUNT_TOKENS: (serve_count, COUNT_CODECS["anthropic"], _TALK),
}


def refused(line: Line) -> GatewayError:
    assert line.exchange is not None
    assert line.exchange.error is not None
    return line.exchange.error


async def test_a_client_without_permits_may_use_everything() -> None:
    line = PermitLine(None)
    assert await line.chat("fast") == 200
    assert await line.chat("two/anything") == 200


@pytest.mark.parametrize("operation", list(OPERATIONS))
async def test_an_operation_that_is_not_permitted_is_refused(operation: Operation) -> None:
    others = tuple(name for one, name in OPERATIONS.items() if one is not operation)
    line = PermitLine(Permits(operations=others))
    status, body = await line.operate(operation)
    assert status == 403
    assert f"may not {OPERATIONS[operation]}".encode() in body
    assert not line.asked


async def test_a_count_is_refused_also_for_a_model_that_nobody_has() -> None:
    line = PermitLine(Permits(operations=("chat",)))
    change(line, providers={}, routes={})
    assert (await line.operate(Operation.COUNT_TOKENS, "nobody"))[0] == 403


async def test_an_operation_that_is_permitted_is_answered() -> None:
    line = PermitLine(Permits(operations=("chat",)))
    assert (await line.operate(Operation.CHAT))[0] == 200


@pytest.mark.parametrize("operation", list(OPERATIONS))
async def test_a_model_that_is_not_permitted_is_refused_for_every_operation(operation: Operation) -> None:
    line = PermitLine(Permits(models=("claude-*",)))
    status, body = await line.operate(operation)
    assert status == 403
    assert b"claude-*" in body
    assert not line.asked


async def test_a_refusal_is_told_in_the_callers_dialect_with_its_field_at_fault() -> None:
    line = PermitLine(Permits(models=("claude-*",)))
    status, headers, body = await line.ask(_TALK % b"fast", "anthropic")
    assert status == 403
    assert json.decode(body)["error"]["type"] == "permission_error"
    assert find(headers, b"x-isthmus-id") == b"ex_test"
    assert (refused(line).kind, refused(line).param) == (Kind.FORBIDDEN, "model")


@pytest.mark.parametrize("permitted", ["fast", "FA*", "*"])
async def test_a_name_that_is_permitted_opens_all_that_it_leads_to(permitted: str) -> None:
    line = PermitLine(Permits(models=(permitted,)))
    line.transport.scripts["one.example.com"] = [FAILS] * 4
    assert await line.chat("fast") == 200
    assert line.asked[-1] == "two"


@pytest.mark.parametrize("permitted", ["two/m2", "m2", "two/*"])
async def test_of_a_name_that_is_not_permitted_the_permitted_targets_are_left(permitted: str) -> None:
    line = PermitLine(Permits(models=(permitted,)))
    assert await line.chat("fast") == 200
    assert line.asked == ["two"]
    assert line.exchange is not None
    assert line.exchange.plan is not None
    assert line.exchange.plan.because.endswith("without what the client may not use")


async def test_the_route_behind_an_alias_may_be_what_is_permitted() -> None:
    line = PermitLine(Permits(models=("fast",)))
    change(line, naming=Naming(aliases={"quick": ("fast",)}))
    assert await line.chat("quick") == 200


async def test_a_name_that_nobody_offers_does_not_open_the_default_model() -> None:
    line = PermitLine(Permits(models=("cheap-*",)))
    named = {name: replace(one, models=("m1", "m2")) for name, one in line.live.take().snapshot.providers.items()}
    change(line, providers=named, naming=Naming(default="fast"))
    assert await line.chat("cheap-no-such-model") == 403
    change(
        line, clients={next(iter(line.live.take().snapshot.clients)): Client("a", permits=Permits(models=("fast",)))}
    )
    assert await line.chat("no-such-model") == 200


async def test_one_permitted_model_does_not_open_those_that_auto_leads_to() -> None:
    line = PermitLine(Permits(models=("m1",)), routes={})
    named = line.live.take().snapshot.providers
    change(line, providers={"one": replace(named["one"], models=("m1",)), "two": replace(named["two"], models=("m2",))})
    line.transport.scripts["one.example.com"] = [FAILS] * 4
    assert await line.chat("auto") != 200
    assert set(line.asked) == {"one"}


async def test_a_name_with_an_ending_is_permitted_as_the_name_without_it() -> None:
    line = PermitLine(Permits(models=("claude-x",)))
    assert await line.chat("claude-x-thinking-high") == 200
    assert line.exchange is not None
    assert line.exchange.plan is not None
    assert line.exchange.plan.reasoning is not None
    assert line.exchange.plan.reasoning.mode is ReasoningMode.ON


async def test_latest_says_nothing_of_a_name() -> None:
    assert await PermitLine(Permits(models=("llama3",))).chat("llama3:latest") == 200


async def test_providers_that_are_not_permitted_are_not_asked() -> None:
    line = PermitLine(Permits(providers=("two",)))
    assert await line.chat("fast") == 200
    assert line.asked == ["two"]


async def test_where_no_provider_is_left_the_client_is_told_so() -> None:
    line = PermitLine(Permits(models=("fast",), providers=("three",)))
    assert await line.chat("fast") == 403
    assert "any provider of 'fast'" in refused(line).message


async def test_only_permitted_upstream_keys_are_used() -> None:
    line = PermitLine(Permits(keys=("one/b",)), "one", routes={})
    pooled(line, provider("one"), ["a", "b", "c"])
    for _ in range(4):
        assert await line.chat("one/m") == 200
        assert line.exchange is not None
        assert [attempt.credential for attempt in line.exchange.attempts] == ["b"]


async def test_a_permitted_key_that_fails_is_not_followed_by_another() -> None:
    line = PermitLine(Permits(keys=("one/b",)), "one", routes={})
    pooled(line, provider("one"), ["a", "b", "c"])
    line.transport.scripts["one.example.com"] = [GatewayError(Kind.QUOTA_SPENT, "spent")] * 4
    assert await line.chat("one/m") == 429
    assert line.exchange is not None
    assert {attempt.credential for attempt in line.exchange.attempts} == {"b"}


async def test_a_provider_none_of_whose_keys_is_permitted_is_not_asked() -> None:
    line = PermitLine(Permits(keys=("two/key",)))
    assert await line.chat("fast") == 200
    assert line.asked == ["two"]


async def test_a_branch_keeps_to_what_is_permitted() -> None:
    line = PermitLine(Permits(models=("fast",), providers=("one",)))
    branch = Branch(tiers=first_of(Target("two", "m2"), Target("one", "m3")), when=When(dialects=("openai_chat",)))
    change(line, routes={"fast": Route(tiers=first_of(Target("two", "m2")), rules=Rules(branches=(branch,)))})
    assert await line.chat("fast") == 200
    assert line.asked == ["one"]


async def test_where_only_a_branch_is_permitted_and_not_taken_the_client_is_turned_away() -> None:
    line = PermitLine(Permits(providers=("one",)))
    branch = Branch(tiers=first_of(Target("one", "m1")), when=When(tags=("special",)))
    change(line, routes={"fast": Route(tiers=first_of(Target("two", "m2")), rules=Rules(branches=(branch,)))})
    assert await line.chat("fast") == 403
    assert not line.asked


async def test_no_copy_is_sent_where_its_client_may_not_go() -> None:
    line = PermitLine(Permits(providers=("one",)))
    rules = Rules(shadow=Shadow(Target("two", "m2"), 1.0))
    change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")), rules=rules)})
    assert await line.chat("fast") == 200
    assert line.exchange is not None
    assert line.exchange.plan is not None
    assert line.exchange.plan.rules.shadow is None


async def test_what_comes_after_a_route_is_permitted_with_it_but_not_to_others() -> None:
    line = PermitLine(Permits(models=("m1",)))
    change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")), fallbacks=("two/m2",))})
    line.transport.scripts["one.example.com"] = [FAILS] * 4
    assert await line.chat("fast") != 200
    assert set(line.asked) == {"one"}


def test_only_names_that_would_be_answered_are_listed() -> None:
    line = PermitLine(None)
    now = line.live.take()
    assert may_ask("fast", Permits(models=("m2",)), now)
    assert may_ask("fast", Permits(keys=("two/key",)), now)
    assert not may_ask("fast", Permits(models=("m3",)), now)
    assert not may_ask("fast", Permits(providers=("three",)), now)
    assert not may_ask("fast", Permits(keys=("two/other",)), now)


async def test_an_explanation_tells_what_the_client_may_not_use() -> None:
    line = PermitLine(Permits(models=("fast",), keys=("one/a",)))
    pooled(line, provider("one"), ["a", "b"])
    exchange_client = next(iter(line.live.take().snapshot.clients.values()))
    opened = line.open

    def known(dialect: str = "openai_chat", headers: Headers = ()) -> Exchange:
        exchange = opened(dialect, headers)
        exchange.client = exchange_client
        return exchange

    line.open = known  # type: ignore[method-assign]  the server says who asks before it explains
    told = await explained(line)
    assert [(one["provider"], one["key"], one["verdict"]) for one in told["candidates"]] == [
        ("one", "a", "asked first"),
        ("one", "b", "skipped"),
        ("two", "key", "skipped"),
    ]
    assert why(told, "one", "b") == "the client key that asks may not use it"
    assert why(told, "two") == "the client key that asks may not use it"


async def test_what_is_left_of_a_plan_is_worked_out_once() -> None:
    permits = Permits(providers=("two",))
    line = PermitLine(permits)
    now = line.live.take()
    plan = now.directory.plan("fast")
    left = now.narrowed.of(plan, "fast", permits, now.places)
    assert left is not plan
    assert now.narrowed.of(plan, "fast", Permits(providers=("two",)), now.places) is left
    assert now.narrowed.of(plan, "fast", Permits(providers=("one",)), now.places) != left
    assert now.narrowed.of(replace(plan), "fast", permits, now.places) is not left


async def test_what_was_left_of_a_plan_is_forgotten_with_the_configuration() -> None:
    line = PermitLine(Permits(providers=("two",)))
    assert await line.chat("fast") == 200
    change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")))})
    assert await line.chat("fast") == 403


async def test_of_very_many_names_only_so_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.engine.narrowing.REMEMBERED", 2)
    line = PermitLine(Permits(models=("two/*",)))
    for number in range(5):
        assert await line.chat(f"two/{number}") == 200
    assert len(line.live.take().narrowed) == 2


async def test_many_choices_of_keys_are_told_apart() -> None:
    line = PermitLine(None, "one", routes={})
    pooled(line, provider("one"), ["a", "b"])
    places, target = line.live.take().places, Target("one", "m")
    for number in range(300):
        assert [ask.credential for ask in places.only((f"other/{number}", "one/b")).of(target)] == ["b"]
    assert [ask.credential for ask in places.of(target)] == ["a", "b"]
