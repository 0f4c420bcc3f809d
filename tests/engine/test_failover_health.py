"""What becomes of one request is what the next ones know: who rests, how much of it, and who is well again."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.transport import JSON, SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.serve import serve
from isthmus.providers.provider import Provider
from isthmus.routing.health import Health, Place, State
from isthmus.routing.places import Credential
from isthmus.routing.retry_budget import RetryBudgetRule
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
HELLO = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
)
STOP = HELLO.replace(b'{"content":"hello"},"finish_reason":null', b'{},"finish_reason":"stop"')
DONE = b"data: [DONE]\n\n"
ERROR = b'{"error":{"message":"not now","type":"x","code":null}}'
ONE, TWO = Place("one", "key", "m1"), Place("two", "key", "m2")
BROKEN = GatewayError(Kind.CUT_SHORT, "the connection was reset")
REFUSED = GatewayError(Kind.UNREACHABLE, "refused")


def fails(status: int, retry_after: str | None = None) -> Scripted:
    told = () if retry_after is None else ((b"retry-after", retry_after.encode()),)
    return Scripted(ERROR, status=status, headers=(*JSON, *told))


def two(*scripts: Sequence[Scripted | GatewayError], first: Provider | None = None) -> Line:
    routes = {"fast": ["one/m1", "two/m2"], "other": ["one/m9", "two/m2"]}
    return Line([first or provider("one"), provider("two")], dict(zip(("one", "two"), scripts, strict=True)), routes)


def pool(line: Line, *names: str, proxies: Sequence[str | None] = ()) -> Line:
    """The same line, where the provider `one` has several keys."""
    now = line.live.take().snapshot
    one = now.providers["one"]
    ways = proxies or [None] * len(names)
    keys = {name: replace(one, origin=replace(one.origin, proxy=way)) for name, way in zip(names, ways, strict=True)}
    line.live.swap(replace(now, credentials={"one": tuple(map(Credential, names))}, keys={"one": keys}))
    return line


def health(line: Line) -> Health:
    return line.live.take().board.health


def state(line: Line, place: Place) -> State:
    return health(line).state(place, line.clock.now())


def asked(line: Line) -> list[str]:
    assert line.exchange is not None
    return [f"{one.target.provider}/{one.credential}" for one in line.exchange.attempts]


async def test_who_breaks_off_a_stream_is_passed_over_by_the_next_request() -> None:
    line = two([Scripted(HELLO, BROKEN, headers=SSE)], [Scripted(ANSWER)])
    await line.ask(STREAMED)
    assert state(line, ONE) is State.RESTING
    await line.ask(ASKED)
    assert asked(line) == ["two/key"]


async def test_an_error_told_in_mid_stream_counts_as_one_told_before() -> None:
    told = b'data: {"error":{"message":"overloaded","type":"overloaded_error"}}\n\n'
    line = two([Scripted(HELLO, told, headers=SSE)], [])
    await line.ask(STREAMED)
    [rest] = health(line).resting(line.clock.now())
    assert (rest.place, rest.kind) == (ONE, Kind.OVERLOADED)


async def test_a_place_that_breaks_off_answer_after_answer_rests_longer_each_time() -> None:
    line = two([Scripted(HELLO, BROKEN, headers=SSE) for _ in range(4)], [])
    lengths = []
    for _ in range(4):
        await line.ask(STREAMED)
        until = health(line).rests_until(ONE, line.clock.now())
        lengths.append(until - line.clock.now())
        line.clock.move(until - line.clock.now())
    assert lengths == [1.0, 2.0, 4.0, 8.0]


async def test_an_answer_that_ends_well_makes_all_forgotten() -> None:
    line = two([Scripted(HELLO, BROKEN, headers=SSE), Scripted(HELLO, STOP, DONE, headers=SSE)], [])
    await line.ask(STREAMED)
    line.clock.move(1.0)
    await line.ask(STREAMED)
    assert not health(line).ailing


async def test_a_client_that_leaves_in_mid_stream_tells_nothing_of_the_place() -> None:
    line = two([Scripted(HELLO, HELLO, BROKEN, headers=SSE)], [])

    async def receive(limit: int) -> bytes:
        return STREAMED

    answer = await serve(line.open(), receive, line.live.take(), line.ports)
    assert answer.stream is not None
    await anext(answer.stream)
    await answer.stream.aclose()
    assert state(line, ONE) is State.READY


async def test_a_callers_own_impatience_rests_nobody() -> None:
    late = GatewayError(Kind.TIMED_OUT, "the answer was not complete within 0.01 s")
    line = two([late], [late])
    status, _, _ = await line.ask(ASKED, headers=((b"x-isthmus-timeout", b"0.01"),))
    assert status == 504
    assert [state(line, place) for place in (ONE, TWO)] == [State.READY, State.READY]


async def test_a_silent_provider_rests() -> None:
    line = two([GatewayError(Kind.TIMED_OUT, "no answer within 300 s")], [Scripted(ANSWER)])
    await line.ask(ASKED)
    assert state(line, ONE) is State.RESTING


async def test_a_limit_rests_the_model_where_the_provider_limits_models() -> None:
    line = two([fails(429, "60"), Scripted(ANSWER)], [Scripted(ANSWER)])
    await line.ask(ASKED)
    await line.ask(ASKED.replace(b"fast", b"other"))
    assert asked(line) == ["one/key"]


async def test_a_limit_rests_the_account_where_the_provider_limits_accounts() -> None:
    line = two(
        [fails(429, "60")], [Scripted(ANSWER), Scripted(ANSWER)], first=replace(provider("one"), limits_account=True)
    )
    await line.ask(ASKED)
    await line.ask(ASKED.replace(b"fast", b"other"))
    assert asked(line) == ["two/key"]


async def test_a_provider_that_cannot_be_reached_is_asked_by_one_of_its_keys_only() -> None:
    line = pool(two([REFUSED], [Scripted(ANSWER), Scripted(ANSWER)]), "a", "b", "c")
    await line.ask(ASKED)
    assert asked(line) == ["one/a", "two/key"]
    await line.ask(ASKED)
    assert asked(line) == ["two/key"]


async def test_a_key_with_a_proxy_of_its_own_cannot_be_reached_alone() -> None:
    line = pool(two([REFUSED, Scripted(ANSWER)], []), "a", "b", proxies=("http://proxy.example.com:3128", None))
    await line.ask(ASKED)
    assert asked(line) == ["one/a", "one/b"]


async def test_the_only_provider_is_tried_once_more_when_it_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.routing.walk.BASE", 0.0)
    line = pool(Line([provider("one")], {"one": [REFUSED, Scripted(ANSWER)]}), "a", "b", "c")
    status, _, _ = await line.ask(ASKED.replace(b"fast", b"m1"))
    assert (status, asked(line)) == (200, ["one/a", "one/a"])


async def test_an_outage_is_not_multiplied_by_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 100 requests in a moment, each of which could ask three keys, few ask more than one."""
    monkeypatch.setattr("isthmus.routing.walk.BASE", 0.0)
    rule = RetryBudgetRule(share=0.2, least=10)
    line = pool(Line([provider("one")], {"one": [fails(500) for _ in range(400)]}), "a", "b", "c")
    line.live.swap(replace(line.live.take().snapshot, retry_budget=rule))
    for _ in range(100):
        await line.ask(ASKED.replace(b"fast", b"m1"))
    sent = len(line.transport.sent)
    assert 100 + rule.least <= sent <= 100 * (1 + rule.share) + rule.least


async def test_going_over_to_another_provider_is_no_retry() -> None:
    line = two([fails(500) for _ in range(3)], [Scripted(ANSWER) for _ in range(3)])
    line.live.swap(replace(line.live.take().snapshot, retry_budget=RetryBudgetRule(share=0.0, least=0)))
    for _ in range(3):
        status, _, _ = await line.ask(ASKED)
        assert status == 200


async def test_the_cause_of_a_rest_is_kept_without_any_secret() -> None:
    line = two([fails(503)], [Scripted(ANSWER)])
    await line.ask(ASKED)
    [rest] = health(line).resting(line.clock.now())
    assert rest.cause == "not now"


async def test_a_limit_that_tells_only_when_it_resets_is_believed() -> None:
    told = ((b"x-ratelimit-remaining-requests", b"0"), (b"x-ratelimit-reset-requests", b"1m30s"))
    line = two([Scripted(ERROR, status=429, headers=(*JSON, *told))], [Scripted(ANSWER)])
    await line.ask(ASKED)
    [rest] = health(line).resting(line.clock.now())
    assert (rest.place, rest.until - line.clock.now(), rest.hinted) == (ONE, 90.0, True)


async def test_the_window_of_a_subscription_is_its_accounts() -> None:
    told = ((b"anthropic-ratelimit-unified-5h-utilization", b"1.0"), (b"retry-after", b"600"))
    line = two([Scripted(ERROR, status=429, headers=(*JSON, *told))], [Scripted(ANSWER)])
    await line.ask(ASKED)
    [rest] = health(line).resting(line.clock.now())
    assert rest.place == ONE.account
