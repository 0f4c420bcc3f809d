"""What users of other gateways suffer from when something fails, one test for each, with where it was told.

Each docstring begins with what they saw elsewhere. The tests show what is seen here.
"""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admission import settle
from isthmus.engine.facts import facts
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.health import Patience, Place, State
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.places import Credential
from isthmus.routing.plan import Route, Target, first_of
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"hi"}]}'
CLAUDE = b'{"model":"fast","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
LIMITED = b'{"error":{"message":"slow down","type":"rate_limit_error","code":null}}'
HOUR, DAY = 3600, 86_400


def chunk(delta: str, finish: str = "null", usage: str = "") -> bytes:
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
        b'"delta":%b,"finish_reason":%b}]%b}\n\n' % (delta.encode(), finish.encode(), usage.encode())
    )


HELLO, STOP, DONE = chunk('{"content":"hello"}'), chunk("{}", '"stop"'), b"data: [DONE]\n\n"
USAGE = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":%b}\n\n'
)


def answers(many: int = 1) -> list[Scripted]:
    return [Scripted(ANSWER) for _ in range(many)]


def limited(seconds: int) -> Scripted:
    headers = ((b"content-type", b"application/json"), (b"retry-after", b"%d" % seconds))
    return Scripted(LIMITED, status=429, headers=headers)


def line_of(*scripts: Sequence[Scripted | GatewayError], dialect: str = "openai_chat") -> Line:
    names = ("one", "two", "three")[: len(scripts)]
    routes = {"fast": [f"{name}/m" for name in names]}
    providers = [provider(name, dialect) for name in names]
    return Line(providers, dict(zip(names, scripts, strict=True)), routes)


def asked(line: Line) -> list[str]:
    """Who was asked, in order."""
    return [sent.origin.host.partition(".")[0] for sent in line.transport.sent]


# Failover and cooldowns.


async def test_a_rest_that_was_announced_for_days_ends_when_the_place_is_well_again() -> None:
    """A cooldown of 6 to 18 days outlives the quota's return until a restart.

    github.com/router-for-me/CLIProxyAPI/issues/4724, 5639, 5758, 5770
    """
    line = line_of([limited(18 * DAY), *answers()], answers(40))
    await line.ask(ASKED)
    waited = 0
    while asked(line).count("one") < 2:
        line.clock.move(60)
        waited += 60
        await line.ask(ASKED)
    assert waited <= Patience().hint_cap
    assert line.live.take().board.health.state(Place("one", "key", "m"), line.clock.now()) is State.READY


async def test_an_operator_can_see_a_rest_and_end_it() -> None:
    """No interface to see or clear a cooldown. github.com/router-for-me/CLIProxyAPI/issues/5770"""
    line = line_of([limited(HOUR), *answers()], answers())
    await line.ask(ASKED)
    app, here = application(line), ((b"host", b"127.0.0.1"),)
    seen = json.decode((await Visit(app, "/admin/rests", method="GET", headers=here).done()).body)["rests"]
    assert [(one["provider"], one["kind"]) for one in seen] == [("one", "upstream_limited")]
    assert (await Visit(app, "/admin/rests", method="DELETE", headers=here).done()).status == 200
    await line.ask(ASKED)
    assert asked(line) == ["one", "two", "one"]


async def test_where_all_rest_and_nobody_said_how_long_the_least_bad_is_asked() -> None:
    """All deployments cooling down means failure. github.com/BerriAI/litellm/issues/3646"""
    broken = GatewayError(Kind.TIMED_OUT, "silent")
    line = line_of([broken, *answers()], [broken])
    assert (await line.ask(ASKED))[0] == 504
    assert (await line.ask(ASKED))[0] == 200


async def test_where_all_named_a_long_time_the_caller_is_told_the_shortest_at_once() -> None:
    """429 is blocked on, or told without a time. github.com/router-for-me/CLIProxyAPI/issues/4060"""
    line = line_of([limited(120)], [limited(90)])
    await line.ask(ASKED)
    status, headers, _ = await line.ask(ASKED)
    assert (status, dict(headers)[b"retry-after"]) == (429, b"90")
    assert asked(line) == ["one", "two"]


async def test_a_later_and_longer_word_of_the_provider_replaces_the_earlier() -> None:
    """A later, longer reset hint is ignored. github.com/BerriAI/litellm/issues/40130"""
    line = line_of([limited(10), limited(300)], answers(3))
    await line.ask(ASKED)
    line.clock.move(11)
    await line.ask(ASKED)
    line.clock.move(200)
    await line.ask(ASKED)
    assert asked(line) == ["one", "two", "one", "two", "two"]


async def test_one_error_takes_nobody_out_for_good() -> None:
    """One error disables a channel until somebody switches it on. github.com/QuantumNous/new-api/issues/4585"""
    line = line_of([GatewayError(Kind.UPSTREAM_FAULT, "oops"), *answers()], answers())
    await line.ask(ASKED)
    line.clock.move(60)
    await line.ask(ASKED)
    assert asked(line) == ["one", "two", "one"]


async def test_no_place_is_asked_dozens_of_times_for_one_request() -> None:
    """A disabled channel is retried dozens of times. github.com/QuantumNous/new-api/issues/2899"""
    broken = [GatewayError(Kind.CREDENTIAL_REJECTED, "wrong key") for _ in range(30)]
    line = line_of(broken, list(broken), list(broken))
    assert (await line.ask(ASKED))[0] == 502
    assert asked(line) == ["one", "two", "three"]


async def test_a_limit_of_a_moment_is_waited_out_where_the_cache_is() -> None:
    """Switching accounts for a three-second limit loses the cache.

    github.com/badrisnarayanan/antigravity-claude-proxy/issues/284
    """
    line = line_of([limited(0), *answers()], answers())
    assert (await line.ask(ASKED))[0] == 200
    assert asked(line) == ["one", "one"]


async def test_a_spent_account_rests_with_all_of_its_models() -> None:
    """The cooldown is per model though the quota is the account's. github.com/router-for-me/CLIProxyAPI/issues/5286"""
    spent = GatewayError(Kind.QUOTA_SPENT, "no credit left", retry_after=HOUR)
    line = line_of([spent], answers(2))
    snapshot: Snapshot = replace(
        line.live.take().snapshot,
        routes={
            "fast": Route(tiers=first_of(Target("one", "m"), Target("two", "m"))),
            "other": Route(tiers=first_of(Target("one", "another"), Target("two", "m"))),
        },
    )
    line.live.swap(snapshot)
    await line.ask(ASKED)
    await line.ask(ASKED.replace(b"fast", b"other"))
    assert asked(line) == ["one", "two", "two"]


async def test_an_error_in_a_good_status_is_a_failure_and_another_answers() -> None:
    """Error text is returned as a normal answer, so nobody takes over.

    github.com/router-for-me/CLIProxyAPI/issues/4144
    """
    line = line_of([Scripted(b'{"error":{"message":"overloaded","type":"server_error"}}')], answers())
    status, _, body = await line.ask(ASKED)
    assert (status, b"hello" in body) == (200, True)
    assert asked(line) == ["one", "two"]


async def test_a_new_configuration_forgets_no_rest_and_loses_no_model() -> None:
    """Editing a parameter makes a running pod lose the model. github.com/BerriAI/litellm/issues/40761, 20409"""
    line = line_of([limited(HOUR)], answers(2))
    await line.ask(ASKED)
    line.live.swap(line.live.take().snapshot)
    assert (await line.ask(ASKED))[0] == 200
    assert asked(line) == ["one", "two", "two"]


async def test_a_request_that_was_given_up_gives_its_place_back() -> None:
    """Limits overrun under concurrency, or trip falsely after requests that ended badly.

    github.com/BerriAI/litellm/issues/34732, 36926
    """
    limit = Limit("provider:one", Measure.RUNNING, 1)
    line = line_of([Scripted(asyncio.Event()), *answers()])
    snapshot: Snapshot = replace(line.live.take().snapshot, allowances={"provider:one": (limit,)})
    line.live.swap(snapshot)
    line.ports.limiter = LocalLimiter(line.clock.time)
    gone = asyncio.create_task(line.ask(ASKED))
    while not line.transport.played:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert line.exchange is not None
    line.exchange.cancelled = True
    settle(line.exchange, line.live.take(), line.ports)
    assert (await line.ask(ASKED))[0] == 200


# Conversations that stay.


async def test_a_conversation_is_never_kept_at_a_dead_place() -> None:
    """Affinity traps a conversation on a dead channel. github.com/QuantumNous/new-api/issues/4541, 3455"""
    one = provider("pool")
    line = Line([one], {"pool": [*answers(), limited(HOUR), *answers(3)]})
    keys = {name: one for name in "ab"}
    snapshot: Snapshot = replace(
        line.live.take().snapshot,
        keys={"pool": keys},
        credentials={"pool": tuple(map(Credential, keys))},
    )
    line.live.swap(snapshot)
    used = []
    for _ in range(4):
        await line.ask(ASKED.replace(b"fast", b"pool/m"), headers=((b"session-id", b"1"),))
        assert line.exchange is not None
        used.append([attempt.credential for attempt in line.exchange.attempts])
    assert used == [["a"], ["a", "b"], ["b"], ["b"]]


# Streams.


async def test_usage_is_told_once_wherever_in_the_stream_it_came() -> None:
    """Usage arrives in the wrong chunk, not at all, or after the finish reason.

    github.com/BerriAI/litellm/issues/17136, 11915
    """
    counts = b'{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}'
    late = [HELLO, STOP, USAGE % counts, DONE]
    early = [HELLO, chunk("{}", '"stop"', f',"usage":{counts.decode()}'), DONE]
    for pieces in (late, early):
        line = line_of([Scripted(*pieces, headers=SSE)])
        _, _, body = await line.ask(CLAUDE, "anthropic")
        told = [json.decode(part.partition(b"data: ")[2]) for part in body.split(b"\n\n") if b"message_delta" in part]
        assert [(one["usage"]["input_tokens"], one["usage"]["output_tokens"]) for one in told] == [(3, 1)]


async def test_a_cut_stream_keeps_the_counts_that_were_told_before() -> None:
    """A cut stream overwrites known cache counts with an estimate. github.com/QuantumNous/new-api/pull/4128"""
    usage = b'"usage":{"input_tokens":7,"cache_read_input_tokens":900,"output_tokens":1}'
    start = (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":'
        b'"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,%b}}\n\n' % usage
    )
    block = (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
        b'{"type":"text","text":"hello"}}\n\n'
    )
    line = line_of([Scripted(start, block, headers=SSE)], dialect="anthropic")
    await line.ask(CLAUDE, "anthropic")
    assert line.exchange is not None
    assert line.exchange.usage is not None
    assert (line.exchange.usage.fresh_input, line.exchange.usage.cache_read) == (7, 900)
    assert line.exchange.outcome == "failed"


async def test_who_leaves_ends_the_providers_work_and_all_further_tries() -> None:
    """The client leaves, and the upstream keeps generating, or is asked again.

    github.com/BerriAI/litellm/issues/13774, 37140; github.com/QuantumNous/new-api/issues/4184
    """
    for body in (ASKED, STREAMED):
        line = line_of([Scripted(asyncio.Event())], answers())
        visit = Visit(application(line), "/v1/chat/completions", body)
        while not line.transport.played:
            await asyncio.sleep(0)
        visit.leave()
        await asyncio.wait_for(line.transport.played[0].closed.wait(), 5)
        await asyncio.gather(visit.task, return_exceptions=True)
        assert asked(line) == ["one"]


async def test_an_error_inside_a_stream_is_a_failure_in_the_log() -> None:
    """An in-stream overload error was logged as success. github.com/BerriAI/litellm/issues/24004"""
    error = b'data: {"error":{"message":"overloaded","type":"server_error","code":null}}\n\n'
    line = line_of([Scripted(HELLO, error, headers=SSE)])
    status, _, _ = await line.ask(STREAMED)
    assert status == 200
    assert line.exchange is not None
    told = facts(line.exchange, "now")
    assert told.outcome == "failed"
    assert told.error is not None


async def test_a_stream_with_nothing_but_its_end_is_tried_elsewhere() -> None:
    """A stream with only a stop reason ends the agent quietly. github.com/musistudio/claude-code-router/issues/212"""
    line = line_of([Scripted(STOP, DONE, headers=SSE)], [Scripted(HELLO, STOP, DONE, headers=SSE)])
    _, _, body = await line.ask(STREAMED)
    assert b"hello" in body
    assert asked(line) == ["one", "two"]


async def test_every_piece_of_arguments_goes_out_as_it_comes() -> None:
    """Tool-argument deltas are held back and released in a burst. github.com/maximhq/bifrost/issues/2048"""
    first = '{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{"}}'
    call = chunk(f'{{"tool_calls":[{first}]}}')
    more = chunk('{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}')
    gate = asyncio.Event()
    line = line_of([Scripted(call, gate, more, chunk("{}", '"tool_calls"'), DONE, headers=SSE)])
    visit = Visit(application(line), "/v1/messages", CLAUDE)
    await visit.until(lambda one: b'"partial_json":"{"' in one.body)
    gate.set()
    await visit.done()
    assert b'"partial_json":"}"' in visit.body
