"""A second place is asked beside a slow one: who answers, what becomes of the other, and how often it may be."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.answer import Answer
from isthmus.engine.ending import end
from isthmus.engine.exchange import Exchange, Note
from isthmus.engine.facts import facts
from isthmus.engine.serve import serve
from isthmus.engine.snapshot import Limits, Snapshot
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Limit, Measure
from isthmus.routing.places import Credential
from isthmus.routing.plan import Hedge, Route, Rules, Target, first_of
from isthmus.routing.retry_budget import RetryBudgetRule
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
WHOLE = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
EAGER = Hedge(share=1.0, quantile=0.5, least=0.0)
"""A second place after the usual time, as often as there are requests."""
MEASURED = 10
FIRST, SECOND = Place("one", "key", "m1"), Place("two", "key", "m2")


def chunk(delta: str, finish: str = "null", usage: str = "null") -> bytes:
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"fast","choices":[{"index":0,'
        b'"delta":%b,"finish_reason":%b}],"usage":%b}\n\n' % (delta.encode(), finish.encode(), usage.encode())
    )


DONE = b"data: [DONE]\n\n"


def said(word: str, tokens: int = 1) -> list[bytes]:
    usage = f'{{"prompt_tokens":3,"completion_tokens":{tokens},"total_tokens":{3 + tokens}}}'
    return [chunk(f'{{"content":"{word}"}}'), chunk("{}", '"stop"', usage), DONE]


def stream(*steps: bytes | GatewayError | asyncio.Event) -> Scripted:
    return Scripted(*steps, headers=SSE)


def hedged(
    *scripts: list[Scripted | GatewayError], hedge: Hedge | None = EAGER, usual: float | None = 0.001, dialect: str = ""
) -> Line:
    """Two providers on a route that hedges. `usual` is what the first took to its first token until now."""
    names = ("one", "two", "three")[: len(scripts)]
    providers = [provider(name, dialect or "openai_chat") for name in names]
    line = Line(providers, dict(zip(names, scripts, strict=True)))
    targets = first_of(*(Target(name, f"m{number}") for number, name in enumerate(names, 1)))
    route = Route(tiers=targets, rules=Rules(hedge=hedge))
    line.live.swap(Snapshot(providers={one.name: one for one in providers}, routes={"fast": route}))
    if usual is not None:
        meter = line.live.take().board.meters.began(FIRST, line.clock.now())
        meter.ended()
        for _ in range(MEASURED):
            meter.answered(usual, line.clock.now(), stream=True)
    return line


def noted(exchange: Exchange | None) -> list[tuple[str, Kind | None, Note | None]]:
    assert exchange is not None
    return [(one.target.provider, one.error, one.note) for one in exchange.attempts]


async def test_a_slow_places_answer_is_taken_from_the_second() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two"))])
    _, _, body = await line.ask(STREAMED)
    assert body == b"".join(said("two"))
    assert noted(line.exchange) == [("one", Kind.CANCELLED, Note.HEDGED), ("two", None, None)]


async def test_the_losers_connection_is_closed_before_the_winner_is_read() -> None:
    never, later = asyncio.Event(), asyncio.Event()
    line = hedged([stream(never)], [stream(said("two")[0], later, *said("two")[1:])])
    answer = await begun(line)
    assert answer.stream is not None
    assert line.transport.played[0].closed.is_set()
    assert not line.transport.played[1].closed.is_set()
    later.set()
    assert b"".join([piece async for piece in answer.stream]) == b"".join(said("two"))


async def test_a_slow_place_that_answers_before_the_second_wins() -> None:
    late = asyncio.Event()
    line = hedged([stream(late, *said("one"))], [stream(asyncio.Event())])
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    late.set()
    _, _, body = await asking
    assert body == b"".join(said("one"))
    assert line.transport.played[1].closed.is_set()
    assert noted(line.exchange) == [("two", Kind.CANCELLED, Note.HEDGED), ("one", None, None)]


async def test_what_the_winners_stream_tells_at_its_end_is_in_the_log_line() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two", tokens=7))])
    await line.ask(STREAMED)
    assert line.exchange is not None
    told = facts(line.exchange, "now")
    assert (told.output_tokens, told.outcome, told.target) == (7, "answered", "two/m2")
    assert [attempt.note for attempt in told.attempts] == ["hedged", None]
    assert told.attempts[0].reason == "two/m2 was asked as well and answered first"


async def test_a_winner_that_breaks_off_later_is_told_as_a_failure() -> None:
    cut = GatewayError(Kind.CUT_SHORT, "reset")
    line = hedged([stream(asyncio.Event())], [stream(said("two")[0], cut)])
    _, _, body = await line.ask(STREAMED)
    assert b"[DONE]" not in body
    assert line.exchange is not None
    assert line.exchange.outcome == "failed"


async def test_an_error_of_the_first_leaves_the_second_running() -> None:
    fails, answers = asyncio.Event(), asyncio.Event()
    line = hedged(
        [stream(fails, GatewayError(Kind.CUT_SHORT, "reset"))],
        [stream(answers, *said("two"))],
    )
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    fails.set()
    while line.exchange is None or not line.exchange.attempts or line.exchange.attempts[0].error is None:
        await asyncio.sleep(0)
    answers.set()
    _, _, body = await asking
    assert body == b"".join(said("two"))
    assert noted(line.exchange) == [("one", Kind.CUT_SHORT, None), ("two", None, None)]


async def test_an_error_of_the_second_leaves_the_first_running() -> None:
    late = asyncio.Event()
    line = hedged([stream(late, *said("one"))], [Scripted(b"{}", status=500)])
    asking = asyncio.create_task(line.ask(STREAMED))
    while line.live.take().board.health.state(SECOND, line.clock.now()).name == "READY":
        await asyncio.sleep(0)
    late.set()
    _, _, body = await asking
    assert body == b"".join(said("one"))
    assert noted(line.exchange) == [("two", Kind.UPSTREAM_FAULT, None), ("one", None, None)]


async def test_when_both_fail_the_walk_goes_on() -> None:
    both = asyncio.Event()
    cut = [stream(both, GatewayError(Kind.CUT_SHORT, "reset")) for _ in range(2)]
    line = hedged([cut[0]], [cut[1]], [stream(*said("three"))])
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    both.set()
    _, _, body = await asking
    assert body == b"".join(said("three"))
    assert [one[0] for one in noted(line.exchange)] == ["one", "two", "three"]


async def test_a_client_that_leaves_ends_both() -> None:
    line = hedged([stream(asyncio.Event())], [stream(asyncio.Event())])
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert all(answer.closed.is_set() for answer in line.transport.played)


async def test_a_client_that_leaves_as_an_answer_begins_ends_that_too() -> None:
    late = asyncio.Event()
    line = hedged([stream(late, *said("one"))], [stream(asyncio.Event())])
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    late.set()
    while line.exchange is None or line.exchange.upstream is None:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert all(answer.closed.is_set() for answer in line.transport.played)


async def test_the_outrun_place_is_not_ill() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two"))])
    await line.ask(STREAMED)
    assert not line.live.take().board.health.ailing


async def test_nothing_runs_at_the_outrun_place_any_more() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two"))])
    await line.ask(STREAMED)
    assert line.exchange is not None
    line.exchange.close()
    meters = line.live.take().board.meters
    assert [meter.running for place in (FIRST, SECOND) if (meter := meters.of(place)) is not None] == [0, 0]


async def test_a_prompt_first_place_is_left_alone() -> None:
    line = hedged([stream(*said("one"))], [], usual=60.0)
    _, _, body = await line.ask(STREAMED)
    assert body == b"".join(said("one"))


@pytest.mark.parametrize(
    ("hedge", "usual"), [(None, 0.0), (EAGER, None)], ids=["a route that does not hedge", "a place never measured"]
)
async def test_nobody_is_asked_beside(hedge: Hedge | None, usual: float | None) -> None:
    assert await waits_alone(hedged([stream(Idle(), *said("one"))], [], hedge=hedge, usual=usual))


async def test_a_place_that_rests_is_not_asked_beside() -> None:
    line = hedged([stream(Idle(), *said("one"))], [])
    health = line.live.take().board.health
    error = GatewayError(Kind.OVERLOADED, "later")
    health.failed(SECOND, error.kind, error.rule.rest, line.clock.now())
    assert await waits_alone(line)


async def test_a_caller_in_a_hurry_gets_no_second_place() -> None:
    line = hedged([stream(Idle(), *said("one"))], [], usual=0.001)
    assert await waits_alone(line, headers=((b"x-isthmus-timeout", b"0.0015"),))


async def test_no_more_than_the_share_is_asked_twice() -> None:
    scripts = [stream(Idle() if number % 4 else asyncio.Event(), *said("one")) for number in range(1, 9)]
    line = hedged(list(scripts), [stream(*said("two")) for _ in range(2)], hedge=Hedge(share=0.25, least=0.0))
    for _ in range(8):
        await line.ask(STREAMED)
    asked = [sent.origin.host for sent in line.transport.sent]
    assert asked.count("two.example.com") == 2


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_responses", b'{"model":"fast","stream":true,"input":"hi"}'),
        ("openai_responses", b'{"model":"fast","stream":true,"input":"hi","store":true}'),
        ("openai_responses", b'{"model":"fast","stream":true,"input":"hi","store":false,"background":true}'),
        ("openai_responses", b'{"model":"fast","stream":true,"input":"hi","store":false,"conversation":"conv_1"}'),
        (
            "openai_responses",
            b'{"model":"fast","stream":true,"input":"hi","store":false,"tools":[{"type":"web_search"}]}',
        ),
        ("openai_chat", STREAMED[:-1] + b',"store":true}'),
        ("openai_chat", STREAMED[:-1] + b',"web_search_options":{"search_context_size":"low"}}'),
        (
            "anthropic",
            STREAMED[:-1] + b',"max_tokens":9,"tools":[{"type":"web_search_20250305","name":"web_search"}]}',
        ),
        ("anthropic", STREAMED[:-1] + b',"max_tokens":9,"mcp_servers":[{"type":"url","url":"https://example.com"}]}'),
        ("openai_chat", WHOLE),
    ],
    ids=[
        "responses are kept unless they say otherwise",
        "a response that is kept",
        "a response in the background",
        "a response in a conversation",
        "a tool hosted by OpenAI",
        "a completion that is kept",
        "a search by the model",
        "a tool hosted by Anthropic",
        "a server of tools",
        "an answer that comes whole",
    ],
)
async def test_what_would_happen_twice_is_asked_once(dialect: str, body: bytes) -> None:
    line = hedged([stream(Idle(), *said("one"))] * 2, [], dialect=dialect if dialect != "anthropic" else "")
    asking = asyncio.create_task(line.ask(body, dialect))
    await asyncio.sleep(0.02)
    assert len(line.transport.sent) == 1
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_response_that_is_not_kept_may_be_asked_twice() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two"))])
    await line.ask(b'{"model":"fast","stream":true,"input":"hi","store":false}', "openai_responses")
    assert noted(line.exchange)[0] == ("one", Kind.CANCELLED, Note.HEDGED)


async def test_a_second_key_of_the_same_provider_is_asked_as_a_repetition() -> None:
    line = two_keys(stream(asyncio.Event()), least=10)
    _, _, body = await line.ask(STREAMED)
    assert body == b"".join(said("two"))
    rule = RetryBudgetRule(share=0.0, least=1)
    retries = line.live.take().board.retries
    retries.rule = rule
    assert not retries.allows("one", line.clock.now())


async def test_a_second_key_is_not_asked_beyond_the_providers_budget_of_repetitions() -> None:
    assert await waits_alone(two_keys(stream(Idle(), *said("one")), least=0))


async def test_a_second_place_counts_among_the_attempts() -> None:
    both = asyncio.Event()
    cut = [stream(both, GatewayError(Kind.CUT_SHORT, "reset")) for _ in range(2)]
    line = hedged([cut[0]], [cut[1]], [stream(*said("three"))])
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(attempts=2)))
    asking = asyncio.create_task(line.ask(STREAMED))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    both.set()
    status, _, _ = await asking
    assert (status, len(line.transport.sent)) == (502, 2)


async def test_where_one_attempt_is_allowed_nobody_is_asked_beside() -> None:
    line = hedged([stream(Idle(), *said("one"))], [])
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(attempts=1)))
    assert await waits_alone(line)


async def test_what_the_outrun_place_held_is_given_back_but_for_what_it_was_sent() -> None:
    line = hedged([stream(asyncio.Event())], [stream(*said("two", tokens=7))])
    tokens = {name: Limit(f"provider:{name}", Measure.TOKENS, 10_000, 60, 12) for name in ("one", "two")}
    running = {name: Limit(f"provider:{name}", Measure.RUNNING, 9) for name in ("one", "two")}
    limiter = line.ports.limiter = LocalLimiter(line.clock.time)
    allowances = {f"provider:{name}": (tokens[name], running[name]) for name in ("one", "two")}
    line.live.swap(replace(line.live.take().snapshot, allowances=allowances))
    await line.ask(STREAMED)
    assert line.exchange is not None
    end(line.exchange, line.live.take(), line.ports)
    assert [limiter.share(one) for one in running.values()] == [0, 0]
    assert round(limiter.share(tokens["two"]) * 10_000) == 10
    assert 0 < limiter.share(tokens["one"]) * 10_000 < 100


async def test_a_second_place_without_room_is_not_asked() -> None:
    line = hedged([stream(Idle(), *said("one"))], [])
    full = Limit("provider:two", Measure.REQUESTS, 1, 60, 12)
    limiter = line.ports.limiter = LocalLimiter(line.clock.time)
    await limiter.claim([Claim(full, 1)])
    line.live.swap(replace(line.live.take().snapshot, allowances={full.scope: (full,)}))
    assert await waits_alone(line)


def two_keys(first: Scripted, *, least: int) -> Line:
    """One provider with two keys, what it answers to the first, and so many repetitions that it may be sent."""
    line = hedged([first, stream(*said("two"))])
    one = line.live.take().snapshot.providers["one"]
    snapshot = replace(
        line.live.take().snapshot,
        keys={"one": {"key": one, "other": one}},
        credentials={"one": (Credential("key"), Credential("other"))},
    )
    line.live.swap(snapshot)
    line.live.take().board.retries.rule = RetryBudgetRule(share=0.0, least=least)
    return line


class Idle(asyncio.Event):
    """Is set when nothing else has happened for some turns of the loop: long after a second place had been asked."""

    async def wait(self) -> bool:  # type: ignore[override]  # as an Event's, which is always true
        await asyncio.sleep(0.02)
        return True


async def waits_alone(line: Line, headers: tuple[tuple[bytes, bytes], ...] = ()) -> bool:
    """Is the first place's answer waited for, with nobody asked beside it?"""
    _, _, body = await line.ask(STREAMED, headers=headers)
    return body == b"".join(said("one")) and len(line.transport.sent) == 1


async def begun(line: Line) -> Answer:
    async def receive(limit: int) -> bytes:
        return STREAMED

    return await serve(line.open(), receive, line.live.take(), line.ports)
