"""A stream that breaks off goes on at another place: in every client's dialect, wherever it broke off."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.content import Signature, Text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN
from isthmus.core.reply import ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.table import CODECS
from isthmus.engine.answer import Answer
from isthmus.engine.ending import end
from isthmus.engine.exchange import Call, Exchange, Named, Note
from isthmus.engine.facts import facts
from isthmus.engine.serve import serve
from isthmus.engine.snapshot import Limits, Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place, State
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Hedge, Route, Rules, Target, first_of
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from isthmus.wire.framings import CONTENT_TYPES
from isthmus.wire.headers import Headers
from support.line import KEY, Line, provider
from support.streams import events_of

CLIENTS = {
    "openai_chat": {"model": "fast", "stream": True, "messages": [{"role": "user", "content": "Go on."}]},
    "openai_responses": {"model": "fast", "stream": True, "input": "Go on."},
    "anthropic": {
        "model": "fast",
        "stream": True,
        "max_tokens": 99,
        "messages": [{"role": "user", "content": "Go on."}],
    },
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Go on."}]}]},
    "ollama": {"model": "fast", "messages": [{"role": "user", "content": "Go on."}]},
    "openai_completions": {"model": "fast", "stream": True, "prompt": "Go on."},
    "bedrock": {"messages": [{"role": "user", "content": [{"text": "Go on."}]}]},
}
"""What a client of each dialect asks."""
PIECES = ("Once upon", " a time", " there was ")
REST = ("an end", " to it.")
WHOLE = "Once upon a time there was an end to it."
CUT = GatewayError(Kind.CUT_SHORT, f"reset, said {KEY}")
GOES_ON = replace(UNKNOWN, continues=True)


def said(*pieces: str, usage: Usage | None = Usage(fresh_input=7, output=3)) -> list[Event]:  # noqa: B008  a value
    deltas = [TextDelta(0, piece) for piece in pieces]
    counted = [UsageReport(usage)] if usage is not None else []
    start = MessageStart("id-1", "m", 1)
    return [start, BlockStart(0, BlockKind.TEXT), *deltas, BlockStop(0), *counted, MessageStop(Finish(Reason.STOP))]


def wire(dialect: str, events: Sequence[Event]) -> list[bytes]:
    """What a provider of the dialect sends for each of the events, and the end of its stream."""
    codec = CODECS[dialect, Operation.CHAT]
    writer = codec.stream_writer(ReplyHead("m", 1), Losses())
    return [*map(writer.write, events), writer.end()]


def stream(dialect: str, *steps: bytes | GatewayError | asyncio.Event) -> Scripted:
    framing = CODECS[dialect, Operation.CHAT].framing
    return Scripted(*filter(_something, steps), headers=((b"content-type", CONTENT_TYPES[framing]),))


def _something(step: object) -> bool:
    return step != b""


def whole(dialect: str, *pieces: str, usage: Usage | None = Usage(fresh_input=9, output=4)) -> Scripted:  # noqa: B008
    return stream(dialect, *wire(dialect, said(*pieces, usage=usage)))


def broken(dialect: str = "openai_chat", *pieces: str, by: GatewayError | None = CUT) -> Scripted:
    """An answer that breaks off after its last piece: by an error, or by nothing at all."""
    steps = wire(dialect, said(*(pieces or PIECES)))[: 2 + len(pieces or PIECES)]
    return stream(dialect, *steps, *([by] if by is not None else []))


def going_on(
    *providers: tuple[Provider, list[Scripted | GatewayError]],
    rules: Rules = Rules(continues=True),  # noqa: B008  a frozen value
) -> Line:
    line = Line([one for one, _ in providers], {one.name: script for one, script in providers})
    targets = first_of(*(Target(one.name, f"m-{one.name}") for one, _ in providers))
    routes = {"fast": Route(tiers=targets, rules=rules)}
    line.live.swap(Snapshot(providers={one.name: one for one, _ in providers}, routes=routes))
    return line


def two(first: Scripted, *second: Scripted | GatewayError, dialect: str = "openai_chat") -> Line:
    return going_on((provider("one"), [first]), (provider("two", dialect, profile=GOES_ON), list(second)))


async def ask(line: Line, client: str = "openai_chat", **more: object) -> bytes:
    answer = await begin(line, client, **more)
    assert answer.stream is not None, answer.body
    told = b"".join([piece async for piece in answer.stream])
    assert line.exchange is not None
    line.exchange.close()
    return told


async def begin(line: Line, client: str = "openai_chat", headers: Headers = (), **more: object) -> Answer:
    body = json.encode({**CLIENTS[client], **more})

    async def receive(limit: int) -> bytes:
        return body

    codec = CODECS[client, Operation.CHAT]
    call = Call(codec, "/v1/asked", headers, named=Named("fast", stream=True) if codec.model_in_path else None)
    line.exchange = Exchange("ex_test", call, line.clock, 1)
    return await serve(line.exchange, receive, line.live.take(), line.ports)


def read(client: str, body: bytes) -> ChatReply:
    """The answer as the client has it. Its grammar is held, and it has ended well."""
    events = events_of(CODECS[client, Operation.CHAT], [body])
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()
    return fold(events)


def text_of(reply: ChatReply) -> str:
    return "".join(part.text for part in reply.candidates[0].parts if isinstance(part, Text))


def ends_in_an_error(client: str, body: bytes) -> bool:
    return isinstance(events_of(CODECS[client, Operation.CHAT], [body])[-1], StreamError)


@pytest.mark.parametrize("client", list(CLIENTS))
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "ollama", "gemini"])
@pytest.mark.parametrize("cut", range(1, 8))
@pytest.mark.parametrize("by", [CUT, None], ids=["a reset", "an end"])
async def test_the_text_is_told_once_and_whole_wherever_it_broke_off(
    client: str, dialect: str, cut: int, by: GatewayError | None
) -> None:
    """The events are the start, that of a block, three pieces, the block's end and the usage: then it breaks off."""
    steps = wire(dialect, said(*PIECES))[:cut]
    told = "".join(PIECES[: max(0, cut - 2)])
    rest = WHOLE.removeprefix(told.rstrip())
    second = whole("openai_chat", rest[:5], rest[5:])
    line = going_on(
        (provider("one", dialect), [stream(dialect, *steps, *([by] if by else []))]),
        (provider("two", profile=GOES_ON), [second]),
    )
    reply = read(client, await ask(line, client))
    assert text_of(reply) == WHOLE
    assert reply.candidates[0].finish is not None
    assert reply.candidates[0].finish.reason is Reason.STOP
    assert line.exchange is not None
    assert line.exchange.outcome == "answered"


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "ollama", "bedrock", "gemini"])
async def test_the_next_place_is_given_what_was_said(dialect: str) -> None:
    line = two(broken(), whole(dialect, *REST), dialect=dialect)
    assert text_of(read("openai_chat", await ask(line))) == WHOLE
    asked = CODECS[dialect, Operation.CHAT].read_request(line.transport.sent[1].body)
    assert asked.messages[-1].parts == (Text("Once upon a time there was"),)
    assert asked.messages[-1].role == "assistant"


@pytest.mark.parametrize("client", list(CLIENTS))
async def test_where_nobody_goes_on_the_error_is_told(client: str) -> None:
    """Recovery in mid-stream assumes that every model goes on. github.com/BerriAI/litellm/issues/27967"""
    line = going_on((provider("one"), [broken()]), (provider("two"), []))
    body = await ask(line, client)
    assert ends_in_an_error(client, body)
    assert KEY.encode() not in body
    assert line.exchange is not None
    assert line.exchange.outcome == "failed"


async def test_a_route_that_does_not_ask_for_it_ends_in_the_error() -> None:
    """Recovery in mid-stream ignores that it is switched off. github.com/BerriAI/litellm/issues/19077"""
    line = going_on((provider("one"), [broken()]), (provider("two", profile=GOES_ON), []), rules=Rules())
    assert ends_in_an_error("openai_chat", await ask(line))


async def test_what_breaks_off_before_its_first_word_is_only_a_failed_attempt() -> None:
    line = going_on((provider("one"), [stream("openai_chat", CUT)]), (provider("two"), [whole("openai_chat", "Hi")]))
    assert text_of(read("openai_chat", await ask(line))) == "Hi"
    assert line.exchange is not None
    assert not line.exchange.seams


async def test_an_answer_that_comes_whole_may_go_on_with_a_stream() -> None:
    codec = CODECS["openai_chat", Operation.CHAT]
    rest = Scripted(codec.write_reply(fold(said(*REST)), Losses()))
    assert text_of(read("openai_chat", await ask(two(broken(), rest)))) == WHOLE


async def test_a_model_that_has_nothing_to_add_ends_the_answer() -> None:
    """It broke off between its last word and its end."""
    reply = read("openai_chat", await ask(two(broken("openai_chat", WHOLE), whole("openai_chat"))))
    assert text_of(reply) == WHOLE


async def test_what_breaks_off_behind_its_end_is_whole() -> None:
    steps = wire("anthropic", said(*PIECES))
    line = going_on((provider("one", "anthropic"), [stream("anthropic", *steps, CUT)]), (provider("two"), []))
    assert text_of(read("anthropic", await ask(line, "anthropic"))) == "".join(PIECES)
    assert line.exchange is not None
    assert line.exchange.outcome == "answered"


async def test_an_answer_may_break_off_several_times() -> None:
    line = going_on(
        (provider("one"), [broken("openai_chat", "Once")]),
        (provider("two", profile=GOES_ON), [broken("openai_chat", " upon")]),
        (provider("three", profile=GOES_ON), [whole("openai_chat", " a time")]),
    )
    assert text_of(read("openai_chat", await ask(line))) == "Once upon a time"
    assert line.exchange is not None
    assert line.exchange.seams == ("at 4 by two/m-two", "at 9 by three/m-three")


async def test_no_more_is_asked_than_a_request_may_try() -> None:
    """Recovery in mid-stream ignores how often a request may be tried. github.com/BerriAI/litellm/issues/29808"""
    line = two(broken(), whole("openai_chat", *REST))
    line.live.swap(replace(line.live.take().snapshot, limits=Limits(attempts=1)))
    assert ends_in_an_error("openai_chat", await ask(line))
    assert len(line.transport.sent) == 1


async def test_where_the_callers_time_is_over_nobody_is_asked() -> None:
    later = asyncio.Event()
    steps = wire("openai_chat", said(*PIECES))[:4]
    line = two(stream("openai_chat", *steps, later, GatewayError(Kind.TIMED_OUT, "too late")))
    answer = await begin(line, headers=((b"x-isthmus-timeout", b"5"),))
    assert answer.stream is not None
    line.clock.move(5.0)
    later.set()
    assert ends_in_an_error("openai_chat", b"".join([piece async for piece in answer.stream]))
    assert len(line.transport.sent) == 1


async def test_when_the_next_place_fails_the_one_after_it_goes_on() -> None:
    line = going_on(
        (provider("one"), [broken()]),
        (provider("two", profile=GOES_ON), [Scripted(b"{}", status=503)]),
        (provider("three", profile=GOES_ON), [whole("openai_chat", *REST)]),
    )
    assert text_of(read("openai_chat", await ask(line))) == WHOLE


async def test_when_all_others_fail_the_break_is_told() -> None:
    line = two(broken(), Scripted(b"{}", status=503), Scripted(b"{}", status=503))
    body = await ask(line)
    assert ends_in_an_error("openai_chat", body)
    assert line.exchange is not None
    assert line.exchange.error is not None
    assert line.exchange.error.kind is Kind.CUT_SHORT


async def test_the_place_that_broke_off_rests() -> None:
    line = two(broken(), whole("openai_chat", *REST))
    await ask(line)
    health = line.live.take().board.health
    assert health.state(Place("one", "key", "m-one"), line.clock.now()) is State.RESTING
    assert health.state(Place("two", "key", "m-two"), line.clock.now()) is State.READY


async def test_nothing_runs_anywhere_when_it_is_over() -> None:
    line = two(broken(), whole("openai_chat", *REST))
    await ask(line)
    assert line.exchange is not None
    line.exchange.close()
    meters = line.live.take().board.meters
    places = (Place("one", "key", "m-one"), Place("two", "key", "m-two"))
    assert [meter.running for place in places if (meter := meters.of(place)) is not None] == [0, 0]
    assert all(answer.closed.is_set() for answer in line.transport.played)


async def test_the_seam_is_in_the_log_line() -> None:
    line = two(broken(), whole("openai_chat", *REST))
    await ask(line)
    assert line.exchange is not None
    told = facts(line.exchange, "now")
    assert told.continued == ("at 27 by two/m-two",)
    assert [(one.target, one.error, one.note) for one in told.attempts] == [
        ("one/m-one", Kind.CUT_SHORT, None),
        ("two/m-two", None, Note.CONTINUED),
    ]


async def test_the_log_says_why_an_answer_was_not_gone_on_with() -> None:
    line = going_on((provider("one"), [broken()]), (provider("two"), []))
    await ask(line)
    assert line.exchange is not None
    end(line.exchange, line.live.take(), line.ports)
    told = facts(line.exchange, "now").attempts[0]
    assert told.error == "cut_short"
    assert "nobody could go on with the answer: no model of this name is known to" in (told.reason or "")
    assert KEY not in (told.reason or "")


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic", "gemini"])
async def test_a_comment_before_the_end_tells_of_the_seam(client: str) -> None:
    body = await ask(two(broken(), whole("openai_chat", *REST)), client)
    comment = b"\n\n: isthmus continued at 27 by two/m-two\n\n"
    assert body.count(comment) == 1
    assert body.partition(comment)[2]


async def test_lines_of_json_hold_no_comment() -> None:
    body = await ask(two(broken(), whole("openai_chat", *REST)), "ollama")
    assert b"isthmus" not in body


async def test_the_usage_of_both_is_told_and_logged() -> None:
    first = wire("anthropic", [MessageStart("id-1", "m", 1, Usage(fresh_input=10, output=1)), *said(*PIECES)[1:5]])
    line = going_on(
        (provider("one", "anthropic"), [stream("anthropic", *first[:-1], CUT)]),
        (provider("two", profile=GOES_ON), [whole("openai_chat", *REST, usage=Usage(fresh_input=30, output=4))]),
    )
    reply = read("anthropic", await ask(line, "anthropic"))
    assert reply.usage is not None
    assert (reply.usage.input, reply.usage.total_output) == (40, 5)
    assert line.exchange is not None
    assert line.exchange.usage is not None
    assert (line.exchange.usage.input, line.exchange.usage.total_output) == (40, 5)


async def test_an_answer_that_ends_for_want_of_room_has_its_usage() -> None:
    """Responses that end as incomplete are billed as zero. github.com/QuantumNous/new-api/issues/7241"""
    full = [*said(*REST, usage=Usage(fresh_input=30, output=4))[:-1], MessageStop(Finish(Reason.LENGTH))]
    line = two(broken(), stream("openai_responses", *wire("openai_responses", full)), dialect="openai_responses")
    reply = read("openai_responses", await ask(line, "openai_responses"))
    assert reply.candidates[0].finish is not None
    assert reply.candidates[0].finish.reason is Reason.LENGTH
    assert line.exchange is not None
    assert line.exchange.usage is not None
    assert (line.exchange.usage.input, line.exchange.usage.total_output) == (30, 4)


async def test_every_word_goes_out_as_it_comes() -> None:
    """Buffering for a fallback hides the opening of an answer. github.com/BerriAI/litellm/issues/39431"""
    steps, later = wire("openai_chat", said(*PIECES)), asyncio.Event()
    line = two(stream("openai_chat", *steps[:3], later, *steps[3:]))
    answer = await begin(line)
    assert answer.stream is not None
    assert b"Once upon" in await anext(answer.stream)
    later.set()
    assert b" a time" in b"".join([piece async for piece in answer.stream])


CALL: list[Event] = [
    MessageStart("id", "m", 1),
    BlockStart(0, BlockKind.TOOL_CALL, "call_1", "f"),
    ArgumentsDelta(0, '{"a":'),
]
SIGNED: list[Event] = [
    MessageStart("id", "m", 1),
    BlockStart(0, BlockKind.REASONING),
    ReasoningDelta(0, "hm"),
    SignatureDelta(0, Signature("anthropic", "proof")),
    BlockStop(0),
    BlockStart(1, BlockKind.TEXT),
    TextDelta(1, "Well"),
]


@pytest.mark.parametrize("events", [CALL, SIGNED, SIGNED[:3]], ids=["a call", "a signed thought", "an open thought"])
@pytest.mark.parametrize("client", list(CLIENTS))
async def test_what_nobody_can_go_on_with_ends_in_an_error(client: str, events: list[Event]) -> None:
    line = going_on(
        (provider("one", "anthropic"), [stream("anthropic", *wire("anthropic", events)[:-1], CUT)]),
        (provider("two", profile=GOES_ON), []),
    )
    assert ends_in_an_error(client, await ask(line, client))


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"response_format": {"type": "json_object"}},
        {"web_search_options": {}, "plugins": [{"id": "web"}]},
    ],
    ids=["several answers", "an answer of a shape", "a tool of the provider's"],
)
async def test_some_requests_are_passed_on_as_if_the_route_asked_for_nothing(more: dict[str, object]) -> None:
    line = two(broken(), whole("openai_chat", *REST))
    assert ends_in_an_error("openai_chat", await ask(line, **more))
    assert len(line.transport.sent) == 1


async def test_a_refusal_in_the_middle_is_not_asked_elsewhere() -> None:
    refusal = b'data: {"error":{"message":"no","type":"invalid_request_error","code":"content_policy_violation"}}\n\n'
    line = two(stream("openai_chat", *wire("openai_chat", said(*PIECES))[:4], refusal), whole("openai_chat", *REST))
    await ask(line)
    assert line.exchange is not None
    assert len(line.transport.sent) == 1


async def test_a_client_that_leaves_while_the_rest_is_asked_for_ends_it() -> None:
    never = asyncio.Event()
    line = two(broken(), stream("openai_chat", never))
    asking = asyncio.create_task(ask(line))
    while len(line.transport.played) < 2:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert all(answer.closed.is_set() for answer in line.transport.played)


async def test_the_answer_of_a_second_place_may_be_gone_on_with_by_a_third() -> None:
    rules = Rules(continues=True, hedge=Hedge(share=1.0, quantile=0.5, least=0.0))
    line = going_on(
        (provider("one"), [stream("openai_chat", asyncio.Event())]),
        (provider("two"), [broken()]),
        (provider("three", profile=GOES_ON), [whole("openai_chat", *REST)]),
        rules=rules,
    )
    meter = line.live.take().board.meters.began(Place("one", "key", "m-one"), line.clock.now())
    meter.ended()
    for _ in range(10):
        meter.answered(0.001, line.clock.now(), stream=True)
    assert text_of(read("openai_chat", await ask(line))) == WHOLE
    assert line.exchange is not None
    line.exchange.close()
    assert [(one.target.provider, one.note) for one in line.exchange.attempts] == [
        ("one", Note.HEDGED),
        ("two", None),
        ("three", Note.CONTINUED),
    ]
    assert line.exchange.seams
    assert meter.running == 0


TOKENS = {
    scope: Limit(scope, Measure.TOKENS, 10_000, 60, 12) for scope in ("provider:one", "provider:two", "client:anyone")
}
ASKED_FOR = Limit("client:anyone", Measure.REQUESTS, 100, 60, 12)
RUNNING = {scope: Limit(scope, Measure.RUNNING, 9) for scope in ("provider:one", "provider:two")}


async def test_each_place_has_spent_what_its_own_part_came_to_and_the_caller_both() -> None:
    first = wire("anthropic", [MessageStart("id-1", "m", 1, Usage(fresh_input=10, output=1)), *said(*PIECES)[1:5]])
    rest = whole("openai_chat", *REST, usage=Usage(fresh_input=30, output=4))
    line = going_on(
        (provider("one", "anthropic"), [stream("anthropic", *first[:-1], CUT)]),
        (provider("two", profile=GOES_ON), [rest]),
    )
    limiter = LocalLimiter(line.clock.time)
    line.ports.limiter = limiter
    allowances: dict[str, tuple[Limit, ...]] = {}
    for limit in (*TOKENS.values(), *RUNNING.values(), ASKED_FOR):
        allowances[limit.scope] = (*allowances.get(limit.scope, ()), limit)
    line.live.swap(replace(line.live.take().snapshot, allowances=allowances))
    assert text_of(read("anthropic", await ask(line, "anthropic"))) == WHOLE
    assert line.exchange is not None
    end(line.exchange, line.live.take(), line.ports)
    spent = {scope: round(limiter.share(limit) * limit.most) for scope, limit in TOKENS.items()}
    seen = len("".join(PIECES)) // 4
    assert spent == {"provider:one": 10 + seen, "provider:two": 34, "client:anyone": 44 + seen}
    assert round(limiter.share(ASKED_FOR) * ASKED_FOR.most) == 1
    assert [limiter.share(limit) for limit in RUNNING.values()] == [0, 0]
