"""What a request claims of the limits in its way, who is asked instead, and what is given back."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Price, Rates
from isthmus.engine.admission import settle
from isthmus.engine.facts import facts
from isthmus.engine.serve import serve
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.places import Credential
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}'
)
HELLO = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
)
_COSTS = (("a", "1"), ("b", "2"))
"""US dollars for a million tokens of input, by key."""
OVERLOADED = b'{"error":{"message":"try later","type":"server_error","code":null}}'


def requests(scope: str, most: int) -> Limit:
    return Limit(scope, Measure.REQUESTS, most, 60, 12)


def tokens(scope: str, most: int) -> Limit:
    return Limit(scope, Measure.TOKENS, most, 60, 12)


def running(scope: str, most: int) -> Limit:
    return Limit(scope, Measure.RUNNING, most)


def limited(
    *limits: Limit, keys: Sequence[str] = ("a",), answers: Sequence[Scripted | GatewayError] | None = None
) -> Line:
    """One provider with these keys behind the name `fast`, and these limits."""
    script = [Scripted(ANSWER) for _ in range(9)] if answers is None else answers
    line = Line([provider("one")], {"one": script}, {"fast": ["one/m"]})
    allowances: dict[str, tuple[Limit, ...]] = {}
    for limit in limits:
        allowances[limit.scope] = (*allowances.get(limit.scope, ()), limit)
    snapshot = replace(
        line.live.take().snapshot,
        credentials={"one": tuple(map(Credential, keys))},
        keys={"one": dict.fromkeys(keys, provider("one"))},
        allowances=allowances,
    )
    line.live.swap(snapshot)
    line.ports.limiter = LocalLimiter(line.clock.time)
    return line


async def ask(line: Line, body: bytes = ASKED) -> tuple[int, Mapping[bytes, bytes], bytes]:
    """As the server does it: asked, read to the end, and settled."""
    status, headers, answer = await line.ask(body)
    assert line.exchange is not None
    settle(line.exchange, line.live.take(), line.ports)
    return status, dict(headers), answer


def used(line: Line, limit: Limit) -> int:
    assert line.ports.limiter is not None
    return round(line.ports.limiter.share(limit) * limit.most)


def tried(line: Line) -> list[str]:
    assert line.exchange is not None
    return [attempt.credential for attempt in line.exchange.attempts]


async def test_a_key_without_room_is_passed_over_for_the_next() -> None:
    line = limited(requests("key:one/a", 1), keys=("a", "b"))
    asked = []
    for _ in range(4):
        assert (await ask(line))[0] == 200
        asked += tried(line)
    assert asked == ["a", "b", "b", "b"]


async def test_a_place_without_room_was_not_tried_and_the_log_tells_why() -> None:
    line = limited(tokens("key:one/a", 10), keys=("a", "b"))
    await ask(line)
    assert line.exchange is not None
    assert tried(line) == ["b"]
    assert facts(line.exchange, "now").skipped == ("one/a/m: 10 tokens a minute for key one/a",)


async def test_places_without_room_do_not_use_up_the_attempts() -> None:
    keys = [f"k{number}" for number in range(10)]
    line = limited(*(requests(f"key:one/{key}", 0) for key in keys[:9]), keys=keys)
    assert (await ask(line))[0] == 200
    assert tried(line) == ["k9"]


async def test_a_provider_limits_all_its_keys_together() -> None:
    line = limited(requests("provider:one", 2), keys=("a", "b", "c"))
    assert [(await ask(line))[0] for _ in range(3)] == [200, 200, 429]


async def test_when_no_key_has_room_the_caller_is_told_when_one_will() -> None:
    line = limited(requests("key:one/a", 1), keys=("a",))
    await ask(line)
    line.clock.move(20)
    status, headers, body = await ask(line)
    assert status == 429
    assert headers[b"retry-after"] == b"45"
    assert b"one/a" not in body


async def test_a_key_that_soon_has_room_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    line = limited(requests("key:one/a", 1))

    async def wait(seconds: float) -> None:
        line.clock.move(seconds)

    await ask(line)
    line.clock.move(62)
    monkeypatch.setattr("isthmus.engine.walk.asyncio.sleep", wait)
    before = line.clock.time()
    assert (await ask(line))[0] == 200
    assert line.clock.time() - before == 3


async def test_a_client_that_asks_too_often_is_refused_at_once_whatever_keys_there_are() -> None:
    line = limited(requests("client:anyone", 1), keys=("a", "b"))
    await ask(line)
    status, headers, body = await ask(line)
    assert status == 429
    assert headers[b"retry-after"] == b"65"
    assert b"1 requests a minute for client anyone" in body
    assert line.exchange is not None
    assert line.exchange.error is not None
    assert line.exchange.error.kind is Kind.RATE_LIMITED


async def test_a_route_has_limits_of_its_own() -> None:
    line = limited(requests("route:fast", 1))
    assert [(await ask(line))[0] for _ in range(2)] == [200, 429]


async def test_a_request_that_fails_over_counts_once_for_its_client() -> None:
    client = requests("client:anyone", 10)
    line = limited(client, keys=("a", "b"), answers=[Scripted(OVERLOADED, status=503), Scripted(ANSWER)])
    assert (await ask(line))[0] == 200
    assert used(line, client) == 1


async def test_a_settled_request_counts_what_it_came_to() -> None:
    limit = tokens("key:one/a", 100_000)
    line = limited(limit)
    await ask(line)
    assert used(line, limit) == 42


async def test_while_a_request_runs_it_counts_what_it_is_expected_to_come_to() -> None:
    limit = tokens("key:one/a", 100_000)
    line = limited(limit)
    await line.ask(ASKED)
    assert used(line, limit) == len(ASKED) // 4 + 500


async def test_a_request_that_says_how_long_its_answer_may_be_is_expected_to_be_no_longer() -> None:
    limit = tokens("key:one/a", 100_000)
    line = limited(limit)
    await line.ask(bounded := ASKED[:-1] + b',"max_tokens":20}')
    assert used(line, limit) == len(bounded) // 4 + 20


async def test_what_a_model_came_to_is_expected_of_it_the_next_time() -> None:
    limit = tokens("key:one/a", 100_000)
    line = limited(limit)
    await ask(line)
    await line.ask(ASKED)
    assert used(line, limit) == 42 + len(ASKED) // 4 + 12


async def test_who_refused_spent_no_tokens_but_was_asked() -> None:
    spent, sent = tokens("key:one/a", 100_000), requests("key:one/a", 100)
    line = limited(spent, sent, answers=[Scripted(OVERLOADED, status=429)])
    assert (await ask(line))[0] == 429
    assert (used(line, spent), used(line, sent)) == (0, 1)


async def test_who_did_not_answer_in_time_has_read_the_request() -> None:
    limit = tokens("key:one/a", 100_000)
    line = limited(limit, answers=[GatewayError(Kind.TIMED_OUT, "slow")])
    assert (await ask(line))[0] == 504
    assert used(line, limit) == len(ASKED) // 4


async def test_a_client_spends_nothing_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.routing.walk.BASE", 0.0)
    limit = tokens("client:anyone", 100_000)
    line = limited(limit, answers=[GatewayError(Kind.UNREACHABLE, "refused")] * 2)
    assert (await ask(line))[0] == 502
    assert used(line, limit) == 0


async def test_a_request_that_may_exceed_the_whole_limit_goes_to_another_key() -> None:
    line = limited(tokens("key:one/a", 10), keys=("a", "b"))
    assert (await ask(line))[0] == 200
    assert tried(line) == ["b"]


async def test_a_request_that_no_key_can_ever_take_is_too_large() -> None:
    line = limited(tokens("key:one/a", 10))
    status, _, body = await ask(line)
    assert status == 413
    assert b"more than any key of this model is allowed" in body


async def test_a_place_among_the_running_is_free_again_when_the_exchange_is_over() -> None:
    limit = running("key:one/a", 1)
    line = limited(limit)
    await line.ask(ASKED)
    first = line.exchange
    assert used(line, limit) == 1
    assert first is not None
    settle(first, line.live.take(), line.ports)
    settle(first, line.live.take(), line.ports)
    assert used(line, limit) == 0


async def test_a_key_that_is_busy_is_passed_over() -> None:
    line = limited(running("key:one/a", 1), keys=("a", "b"))
    asked = []
    for _ in range(3):
        await line.ask(ASKED)
        asked += tried(line)
    assert asked == ["a", "b", "b"]


async def test_a_place_that_failed_runs_no_more() -> None:
    limit = running("key:one/a", 1)
    line = limited(limit, keys=("a", "b"), answers=[Scripted(OVERLOADED, status=503), Scripted(ANSWER)])
    await line.ask(ASKED)
    assert tried(line) == ["a", "b"]
    assert used(line, limit) == 0


async def test_a_client_that_leaves_before_the_answer_gives_back_its_place() -> None:
    place, spent = running("key:one/a", 1), tokens("key:one/a", 100_000)
    line = limited(place, spent, answers=[Scripted(asyncio.Event(), ANSWER)])
    waiting = asyncio.create_task(line.ask(ASKED))
    while not line.transport.played:
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert line.exchange is not None
    line.exchange.cancelled = True
    settle(line.exchange, line.live.take(), line.ports)
    assert (used(line, place), used(line, spent)) == (0, len(ASKED) // 4)


async def test_a_client_that_leaves_in_mid_stream_gives_back_its_place() -> None:
    place, spent = running("client:anyone", 1), tokens("key:one/a", 100_000)
    line = limited(place, spent, answers=[Scripted(HELLO, asyncio.Event(), headers=SSE)])

    async def receive(limit: int) -> bytes:
        return STREAMED

    exchange = line.open()
    answer = await serve(exchange, receive, line.live.take(), line.ports)
    assert answer.stream is not None
    await anext(answer.stream)
    await answer.stream.aclose()
    assert used(line, place) == 1
    exchange.cancelled = True
    settle(exchange, line.live.take(), line.ports)
    assert (used(line, place), used(line, spent)) == (0, len(STREAMED) // 4)


async def test_without_limits_nothing_is_held() -> None:
    line = limited()
    await line.ask(ASKED)
    assert line.exchange is not None
    assert line.exchange.held == ()


async def test_what_a_day_may_cost_is_counted_by_the_price_of_the_key_that_answered() -> None:
    budgets = [Limit(scope, Measure.MICRODOLLARS, 1_000_000, 86_400) for scope in ("key:one/b", "client:anyone")]
    line = limited(requests("key:one/a", 1), *budgets, keys=("a", "b"))
    prices = {("one", key): Price(rates=Rates(input=Decimal(cost), output=Decimal(0))) for key, cost in _COSTS}
    line.live.swap(replace(line.live.take().snapshot, prices=prices))
    await ask(line)
    assert [used(line, budget) for budget in budgets] == [0, 30]
    await ask(line)
    assert [used(line, budget) for budget in budgets] == [60, 90]


async def test_a_request_that_only_may_be_too_large_claims_all_of_the_limit() -> None:
    limit = tokens("key:one/a", 300)
    line = limited(limit)
    await line.ask(ASKED)
    assert used(line, limit) == 300


async def test_the_wait_that_is_told_is_that_of_the_place_which_is_back_first() -> None:
    resting = Scripted(
        OVERLOADED, status=429, headers=((b"retry-after", b"20"), (b"content-type", b"application/json"))
    )
    line = limited(requests("key:one/a", 1), keys=("a", "b"), answers=[Scripted(ANSWER), resting])
    assert (await ask(line))[0] == 200
    await ask(line)
    status, headers, _ = await ask(line)
    assert (status, headers[b"retry-after"]) == (429, b"20")


async def test_a_place_is_named_once_however_often_it_had_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    line = limited(requests("key:one/a", 1))

    async def no_wait(seconds: float) -> None:
        pass

    await ask(line)
    line.clock.move(62)
    monkeypatch.setattr("isthmus.engine.admission.asyncio.sleep", no_wait)
    assert (await ask(line))[0] == 429
    assert line.exchange is not None
    assert line.exchange.skipped == ("one/a/m: 1 requests a minute for key one/a",)
