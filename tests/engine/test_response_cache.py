"""An answer is kept for exactly the same request to come again, where that is wanted, and for nobody else."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import OnLoss
from isthmus.engine.caching import CacheRule, SharedBy, Wish, read_wish
from isthmus.engine.clients import Client
from isthmus.engine.exchange import Exchange
from isthmus.state.memory import BoundedMemory
from isthmus.wire.headers import Headers, find
from support.line import Line, provider

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
STREAMED = ASKED[:-1] + b',"stream":true}'
ON = CacheRule(enabled=True, seconds=60.0)
OK = ((b"content-type", b"application/json"), (b"x-request-id", b"upstreams-own"))


def answer(text: str) -> bytes:
    return (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
        b'{"role":"assistant","content":"%b"},"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}' % text.encode()
    )


def pieces(text: str) -> tuple[bytes, ...]:
    delta = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%b]}\n\n'
    return (
        delta % (b'{"index":0,"delta":{"role":"assistant","content":"%b"},"finish_reason":null}' % text.encode()),
        delta % b'{"index":0,"delta":{},"finish_reason":"stop"}',
        b"data: [DONE]\n\n",
    )


class Cached(Line):
    """A line whose answers are kept as the rule says; `texts` are what its provider answers, one after the other."""

    def __init__(self, *texts: str, rule: CacheRule = ON, stream: bool = False) -> None:
        script: Sequence[Any] = [
            Scripted(*pieces(text), headers=SSE) if stream else Scripted(answer(text), headers=OK) for text in texts
        ]
        super().__init__([provider("one"), provider("two")], {"one": script, "two": script})
        self.ports.answers = BoundedMemory(self.clock.now)
        self.live.swap(replace(self.live.take().snapshot, caching=rule))

    def open(self, dialect: str = "openai_chat", headers: Headers = ()) -> Exchange:
        exchange = super().open(dialect, headers)
        exchange.call = replace(exchange.call, presented="key")
        return exchange

    async def said(self, body: bytes = ASKED, headers: Headers = ()) -> tuple[str, bytes | None]:
        """What was answered, as far as it tells answers apart, and what was told of the cache."""
        _, told, whole = await self.ask(body, headers=headers)
        word = whole.partition(b'"content":"')[2].partition(b'"')[0].decode()
        return word, find(told, b"x-isthmus-cache")


async def test_the_same_request_is_answered_from_the_cache() -> None:
    line = Cached("first")
    assert await line.said() == ("first", b"miss")
    assert await line.said() == ("first", b"hit")
    assert len(line.transport.sent) == 1


async def test_a_request_that_differs_by_a_byte_is_another() -> None:
    line = Cached("first", "second")
    await line.said()
    assert await line.said(ASKED.replace(b"hi", b"Hi")) == ("second", b"miss")


async def test_an_answer_is_kept_for_so_long_and_no_longer() -> None:
    line = Cached("first", "second")
    await line.said()
    line.clock.move(60.0)
    assert await line.said() == ("first", b"hit")
    line.clock.move(1.0)
    assert await line.said() == ("second", b"miss")


async def test_a_hit_tells_its_age_and_an_id_of_its_own_and_no_id_of_the_provider() -> None:
    line = Cached("first")
    await line.said()
    line.clock.move(7.0)
    _, headers, _ = await line.ask(ASKED)
    assert (find(headers, b"age"), find(headers, b"x-isthmus-id")) == (b"7", b"ex_test")
    assert find(headers, b"x-request-id") is None


async def test_a_stream_comes_again_as_the_same_pieces() -> None:
    line = Cached("first", stream=True)
    _, _, first = await line.ask(STREAMED)
    _, headers, again = await line.ask(STREAMED)
    assert (again, again.count(b"data: ")) == (first, 3)
    assert find(headers, b"x-isthmus-cache") == b"hit"
    assert find(headers, b"content-type") == b"text/event-stream; charset=utf-8"


async def test_whoever_asks_for_a_whole_answer_is_given_no_stream() -> None:
    line = Cached("first", stream=True)
    await line.ask(STREAMED)
    line.transport.scripts["one.example.com"] = [Scripted(answer("second"), headers=OK)]
    assert await line.said() == ("second", b"miss")


async def test_a_hit_used_nothing_and_is_noted() -> None:
    line = Cached("first")
    await line.said()
    await line.said()
    assert line.exchange is not None
    assert (line.exchange.cached, line.exchange.usage, line.exchange.attempts) == (True, None, [])


async def test_an_error_is_not_kept() -> None:
    line = Cached("second")
    refusal = Scripted(b'{"error":{"message":"no","type":"invalid_request_error"}}', status=400)
    line.transport.scripts["one.example.com"].insert(0, refusal)
    assert (await line.ask(ASKED))[0] == 400
    assert await line.said() == ("second", b"miss")


async def test_a_stream_that_breaks_off_is_not_kept() -> None:
    line = Cached("whole", stream=True)
    broken = Scripted(pieces("half")[0], GatewayError(Kind.CUT_SHORT, "gone"), headers=SSE)
    line.transport.scripts["one.example.com"].insert(0, broken)
    await line.ask(STREAMED)
    assert await line.said(STREAMED) == ("whole", b"miss")


async def test_a_stream_that_its_client_left_is_not_kept() -> None:
    line = Cached("first", "second", stream=True)
    from isthmus.engine.serve import serve

    async def receive(limit: int) -> bytes:
        return STREAMED

    left = await serve(line.open(), receive, line.live.take(), line.ports)
    assert left.stream is not None
    async for _ in left.stream:
        break
    await left.stream.aclose()
    _, headers, _ = await line.ask(STREAMED)
    assert find(headers, b"x-isthmus-cache") == b"miss"


async def test_an_answer_longer_than_the_bound_is_not_kept() -> None:
    line = Cached("first", "second", rule=replace(ON, most_bytes=100))
    await line.said()
    assert await line.said() == ("second", b"miss")


@pytest.mark.parametrize(
    "extra",
    [b',"tools":[{"type":"web_search"}]', b',"store":true', b',"web_search_options":{}'],
    ids=["hosted tool", "kept by the provider", "searches"],
)
async def test_a_request_that_may_act_is_not_answered_from_the_cache(extra: bytes) -> None:
    line = Cached("first", "second")
    body = ASKED[:-1] + extra + b"}"
    await line.said(body)
    assert await line.said(body) == ("second", None)


async def test_a_changed_route_finds_no_answer_of_the_old_one() -> None:
    line = Cached("first", "second")
    line.live.swap(replace(line.live.take().snapshot, routes={"r": route("one/m")}))
    body = ASKED.replace(b"one/m", b"r")
    await line.said(body)
    line.live.swap(replace(line.live.take().snapshot, routes={"r": route("two/m")}))
    line.transport.scripts["two.example.com"] = [Scripted(answer("second"), headers=OK)]
    assert await line.said(body) == ("second", b"miss")


def route(target: str) -> Any:
    from isthmus.routing.plan import Route, Target, first_of

    return Route(tiers=first_of(Target(*target.split("/"))))


async def test_where_nothing_is_said_nothing_is_kept_and_nothing_told() -> None:
    line = Cached("first", "second", rule=replace(ON, enabled=False, routes={"other": (True, None)}))
    assert await line.said() == ("first", None)
    assert await line.said() == ("second", None)


@pytest.mark.parametrize("where", ["client", "route", "top level"])
async def test_whoever_refuses_losses_is_given_no_answer_of_one_who_allows_them(where: str) -> None:
    line = Cached("first", "second", rule=replace(ON, shared_by=SharedBy.ALL))
    snapshot = line.live.take().snapshot
    allowing, refusing = Client("ada", OnLoss.ALLOW), Client("ada", OnLoss.REFUSE if where == "client" else None)
    told = {"route": {"route_on_loss": {"one/m": OnLoss.REFUSE}}, "top level": {"on_loss": OnLoss.REFUSE}}
    line.live.swap(replace(snapshot, clients={sha256(b"key").digest(): allowing}))
    await line.said()
    line.live.swap(replace(snapshot, clients={sha256(b"key").digest(): refusing}, **told.get(where, {})))
    assert await line.said() == ("second", b"miss")


ADA, GRACE = Client("ada", team="blue"), Client("grace", team="blue")


@pytest.mark.parametrize(
    ("rule", "client", "seconds"),
    [
        (ON, ADA, 60.0),
        (replace(ON, routes={"r": (False, None)}), ADA, None),
        (replace(ON, routes={"r": (True, 5.0)}), ADA, 5.0),
        (replace(ON, routes={"r": (False, None)}), replace(ADA, cache=True), 60.0),
        (ON, replace(ADA, cache=False), None),
    ],
)
def test_the_clients_word_comes_before_the_routes_and_that_before_the_general_one(
    rule: CacheRule, client: Client, seconds: float | None
) -> None:
    assert rule.seconds_for(client, "r") == seconds


@pytest.mark.parametrize(("shared_by", "same"), [(SharedBy.CLIENT, False), (SharedBy.TEAM, True), (SharedBy.ALL, True)])
def test_an_answer_is_shared_by_whom_the_rule_names(shared_by: SharedBy, same: bool) -> None:
    rule = replace(ON, shared_by=shared_by)
    assert (rule.audience(ADA) == rule.audience(GRACE)) is same


def test_clients_without_a_team_share_with_nobody_by_team() -> None:
    rule = replace(ON, shared_by=SharedBy.TEAM)
    assert rule.audience(Client("ada")) != rule.audience(Client("grace"))


def test_a_client_and_a_team_of_one_name_are_not_confused() -> None:
    rule = replace(ON, shared_by=SharedBy.TEAM)
    assert rule.audience(Client("blue")) != rule.audience(Client("x", team="blue"))


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        (b"no-cache", Wish(fresh=True)),
        (b"no-store", Wish(fresh=True, keep=False)),
        (b"max-age=30", Wish(oldest=30.0)),
        (b"Max-Age=0", Wish(fresh=True, oldest=0.0)),
        (b"only-if-cached, max-age=5", Wish(oldest=5.0, only_kept=True)),
        (b"max-age=soon, private", Wish()),
    ],
)
def test_what_a_request_says_itself_is_read(said: bytes, wish: Wish) -> None:
    assert read_wish(((b"cache-control", said),)) == wish


async def control(line: Cached, said: bytes) -> tuple[str, bytes | None]:
    return await line.said(headers=((b"cache-control", said),))


async def test_no_cache_asks_anew_and_keeps_what_comes() -> None:
    line = Cached("first", "second")
    await line.said()
    assert await control(line, b"no-cache") == ("second", b"bypass")
    assert await line.said() == ("second", b"hit")


async def test_no_store_asks_anew_and_keeps_nothing() -> None:
    line = Cached("first", "second")
    await line.said()
    assert await control(line, b"no-store") == ("second", b"bypass")
    assert await line.said() == ("first", b"hit")


async def test_an_answer_older_than_the_request_takes_is_not_given() -> None:
    line = Cached("first", "second")
    await line.said()
    line.clock.move(10.0)
    assert await control(line, b"max-age=10") == ("first", b"hit")
    assert await control(line, b"max-age=9") == ("second", b"miss")


async def test_whoever_wants_a_kept_answer_only_is_told_that_there_is_none() -> None:
    line = Cached()
    status, _, body = await line.ask(ASKED, headers=((b"cache-control", b"only-if-cached"),))
    assert status == 504
    assert b"no answer to this request is kept" in body


async def test_what_lies_in_the_memory_in_another_form_is_no_answer() -> None:
    line = Cached("first", "second")
    await line.said()
    memory = line.ports.answers
    assert isinstance(memory, BoundedMemory)
    [key] = memory._by_key
    await memory.put((key,), b"not ours")
    assert await line.said() == ("second", b"miss")
