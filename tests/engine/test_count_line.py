"""Counting along the line: by who would answer, else by an estimate; there is always an answer."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.operations import Operation
from isthmus.core.profile import ModelProfile
from isthmus.core.usage import Usage
from isthmus.dialects.table import COUNT_CODECS
from isthmus.engine.count import serve_count
from isthmus.engine.counting import Counting, Estimated
from isthmus.engine.exchange import AttemptRecord, Call, Exchange, Lane, Named
from isthmus.engine.vocabulary import Vocabulary
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place, State
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Branch, Route, Rules, Target, When, first_of
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"%b"}]}' % (b"word " * 700)
ROUTES = {"fast": ["one/m1", "two/m2"]}


def counting(name: str, *dialects: str) -> Provider:
    spoken = {Operation.CHAT: ("openai_chat",), **({Operation.COUNT_TOKENS: dialects} if dialects else {})}
    return replace(provider(name), dialects=spoken)


class CountLine(Line):
    """The line for counting, with an estimate by characters."""

    async def ask_count(
        self, body: bytes = ASKED, dialect: str = "anthropic", *, model: str | None = None
    ) -> tuple[int, Headers, bytes]:
        async def receive(limit: int) -> bytes:
            return body

        self.ports.counting = Counting(Vocabulary("isthmus.no_such_package"))
        call = Call(COUNT_CODECS[dialect], "/v1/count", (), named=None if model is None else Named(model))
        self.exchange = Exchange("ex_test", call, self.ports.clock, 1)
        answer = await serve_count(self.exchange, receive, self.live.take(), self.ports)
        self.exchange.close()
        return answer.status, answer.headers, answer.body


def line(*told: Scripted | GatewayError, speaks: tuple[str, ...] = ("anthropic",)) -> CountLine:
    return CountLine([counting("one", *speaks), counting("two", "anthropic")], {"one": told, "two": []}, ROUTES)


def counted_by(headers: Headers) -> bytes:
    return dict(headers)[b"x-isthmus-counted-by"]


async def test_who_would_answer_counts() -> None:
    asked = line(Scripted(b'{ "input_tokens": 671 }'))
    status, headers, body = await asked.ask_count()
    assert (status, body, counted_by(headers)) == (200, b'{ "input_tokens": 671 }', b"one")
    assert json.decode(asked.transport.sent[0].body)["model"] == "m1"
    assert asked.exchange is not None
    assert (asked.exchange.lane, asked.exchange.outcome) == (Lane.PASSTHROUGH, "answered")


async def test_the_caller_need_not_speak_the_providers_dialect() -> None:
    asked = line(Scripted(b'{"object":"response.input_tokens","input_tokens":42}'), speaks=("openai",))
    _, headers, body = await asked.ask_count()
    assert (json.decode(body), counted_by(headers)) == ({"input_tokens": 42}, b"one")
    sent = json.decode(asked.transport.sent[0].body)
    assert (sent["model"], sent["input"][0]["content"]) == ("m1", "word " * 700)


async def test_a_model_is_counted_in_a_dialect_that_it_is_served_in() -> None:
    """One provider serves models of several makers, and counts each maker's in that maker's dialect."""
    google = replace(counting("one", "gemini", "anthropic"), profile=lambda model: ModelProfile(dialects=("gemini",)))
    asked = CountLine([google], {"one": [Scripted(b'{"totalTokens":9}')]}, {"fast": ["one/m1"]})
    _, headers, body = await asked.ask_count()
    assert (json.decode(body), counted_by(headers)) == ({"input_tokens": 9}, b"one")
    assert "generateContentRequest" in json.decode(asked.transport.sent[0].body)


async def test_a_provider_that_cannot_count_is_not_asked() -> None:
    asked = line(speaks=())
    status, headers, body = await asked.ask_count()
    assert (status, counted_by(headers)) == (200, b"estimate")
    assert 1000 <= json.decode(body)["input_tokens"] <= 1200
    assert asked.transport.sent == []


@pytest.mark.parametrize(
    "told",
    [
        Scripted(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', status=529),
        Scripted(b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}', status=400),
        Scripted(b"<html>", status=200),
        GatewayError(Kind.UNREACHABLE, "refused"),
    ],
    ids=["overloaded", "refused", "garbled", "unreachable"],
)
async def test_a_provider_that_fails_to_count_is_counted_for(told: Scripted | GatewayError) -> None:
    asked = line(told)
    status, headers, _ = await asked.ask_count()
    assert (status, counted_by(headers)) == (200, b"estimate")
    assert len(asked.transport.sent) == 1
    assert asked.exchange is not None
    assert asked.exchange.attempts[0].error is not None
    assert asked.exchange.outcome == "answered"


async def test_a_request_that_names_no_model_is_counted() -> None:
    status, headers, _ = await line().ask_count(b'{"messages":[{"role":"user","content":"hi"}]}')
    assert (status, counted_by(headers)) == (200, b"estimate")


async def test_a_model_that_nobody_has_is_counted() -> None:
    line_ = CountLine([replace(counting("one"), models=())], {"one": []})
    status, headers, _ = await line_.ask_count(ASKED.replace(b"fast", b"claude-of-tomorrow"))
    assert (status, counted_by(headers)) == (200, b"estimate")


async def test_the_model_of_a_path_counts_too() -> None:
    asked = line(Scripted(b'{"input_tokens":5}'))
    _, _, body = await asked.ask_count(
        b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}', "gemini", model="fast"
    )
    assert json.decode(body)["totalTokens"] == 5
    assert json.decode(asked.transport.sent[0].body)["model"] == "m1"


async def test_a_body_that_nobody_can_read_is_refused() -> None:
    status, _, body = await line().ask_count(b'{"model":"fast"}')
    assert status == 400
    assert json.decode(body)["error"]["type"] == "invalid_request_error"


async def test_every_upstream_answer_is_closed() -> None:
    asked = line(Scripted(b"{}", status=500))
    await asked.ask_count()
    assert all(answer.closed.is_set() for answer in asked.transport.played)


def told_of(line_: Line, *, guessed: Estimated | None, usage: Usage | None) -> Exchange:
    exchange = line_.open()
    exchange.guessed, exchange.usage = guessed, usage
    exchange.attempts.append(AttemptRecord(Target("one", "m1")))
    return exchange


def test_what_a_provider_counted_in_an_answer_is_learnt() -> None:
    counting_ = Counting(Vocabulary("isthmus.no_such_package"))
    counting_.take(
        [told_of(line(), guessed=Estimated(1000, exact=False), usage=Usage(fresh_input=900, cache_read=600))]
    )
    assert counting_.corrected(Estimated(1000, exact=False), "m1") == 1500


def test_an_answer_without_a_guess_or_a_count_teaches_nothing() -> None:
    counting_ = Counting(Vocabulary("isthmus.no_such_package"))
    unguessed = told_of(line(), guessed=None, usage=Usage(fresh_input=900))
    counting_.take([unguessed, told_of(line(), guessed=Estimated(1000, exact=False), usage=None)])
    assert counting_.corrected(Estimated(1000, exact=False), "m1") == 1000


async def test_a_translated_stream_teaches() -> None:
    """The guess that its beginning is told with is kept for what the provider counts."""
    answer = (
        b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
        b'{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}'
        b"\n\ndata: [DONE]\n\n"
    )
    streamed = Line([provider("one")], {"one": [Scripted(answer, headers=((b"content-type", b"text/event-stream"),))]})
    await streamed.ask(b'{"model":"m1","stream":true,"max_tokens":9,' + ASKED.split(b",", 1)[1], "anthropic")
    assert streamed.exchange is not None
    assert streamed.exchange.guessed is not None
    assert 1000 <= streamed.exchange.guessed.tokens <= 1200


async def test_who_counts_is_who_would_answer_by_the_branch_that_is_taken() -> None:
    asked = CountLine([counting("one"), counting("two", "anthropic")], {"two": [Scripted(b'{"input_tokens": 5}')]})
    long = Branch(tiers=first_of(Target("two", "m2")), when=When(tokens_over=100))
    route = Route(tiers=first_of(Target("one", "m1")), rules=Rules(branches=(long,)))
    asked.live.swap(replace(asked.live.take().snapshot, routes={"fast": route}))
    _, headers, _ = await asked.ask_count()
    assert counted_by(headers) == b"two"


async def test_where_a_key_has_no_room_left_it_is_counted_here() -> None:
    asked = line(*[Scripted(b'{ "input_tokens": 671 }') for _ in range(2)])
    requests = Limit("key:one/key", Measure.REQUESTS, 1, 60, 12)
    tokens = Limit("key:one/key", Measure.TOKENS, 1, 60, 12)
    asked.live.swap(replace(asked.live.take().snapshot, allowances={"key:one/key": (requests, tokens)}))
    asked.ports.limiter = LocalLimiter(asked.clock.time)
    counters = [counted_by((await asked.ask_count())[1]) for _ in range(2)]
    assert counters == [b"one", b"estimate"]
    assert asked.ports.limiter.share(tokens) == 0


async def test_counting_tells_nothing_of_the_limits_that_answers_have() -> None:
    limited = Scripted(b'{"type":"error","error":{"type":"rate_limit_error","message":"later"}}', status=429)
    asked = line(Scripted(b'{"input_tokens":671}'), limited)
    health, place = asked.live.take().board.health, Place("one", "key", "m1")
    health.failed(place, Kind.UPSTREAM_LIMITED, Rest.TARGET, asked.clock.now(), hint=60.0)
    await asked.ask_count()
    assert health.rests_until(place, asked.clock.now()) == asked.clock.now() + 60.0
    health.clear()
    await asked.ask_count()
    assert health.state(place, asked.clock.now()) is State.READY
