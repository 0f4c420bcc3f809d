"""An exchange as spans: what stands in them, how they hang together, and what never does."""

from random import Random

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange, Note
from isthmus.engine.spending import Ending
from isthmus.engine.tracing import Tracer
from isthmus.telemetry.otel.names import PROVIDERS, vendor_of
from isthmus.telemetry.otel.spans import LONGEST, spans_of
from isthmus.telemetry.otel.tries import over_at
from isthmus.wire.headers import Headers
from support.asgi import Visit, application
from support.configured import load_text
from support.line import Line, provider

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = ((b"traceparent", f"00-{TRACE}-{SPAN}-01".encode()), (b"tracestate", b"vendor=1"))
SECRET = "the-word-that-nobody-may-see"
ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"%b"}]}' % SECRET.encode()
STREAMED = ASKED.replace(b'"model"', b'"stream":true,"model"')
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":9,'
    b'"total_tokens":39,"prompt_tokens_details":{"cached_tokens":20},"completion_tokens_details":{"reasoning_tokens":4}}}'
)
PIECE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


class Asking(Line):
    def __init__(self, *script: Scripted | GatewayError) -> None:
        super().__init__([provider("one")], {"one": script or (Scripted(ANSWER),)})
        self.ports.tracer = Tracer(dice=Random(1))

    async def done(
        self, body: bytes = ASKED, path: str = "/v1/chat/completions", headers: Headers = ()
    ) -> list[ReadableSpan]:
        await Visit(application(self), path, body, headers=headers).done()
        return self.spans(self.recorded.exchanges[-1])

    def spans(self, exchange: Exchange) -> list[ReadableSpan]:
        assert exchange.trace is not None
        return list(spans_of(exchange, exchange.trace, self.live.take(), Resource({"service.name": "here"})))


def told(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_request_is_a_span_of_a_server_and_its_try_one_of_a_client_beneath_it() -> None:
    served, asked = await Asking().done()
    assert (served.kind, asked.kind) == (SpanKind.SERVER, SpanKind.CLIENT)
    assert (served.name, asked.name) == ("POST /v1/chat/completions", "chat m")
    assert served.parent is None
    assert asked.parent == served.context
    assert asked.context is not None
    assert served.context is not None
    assert asked.context.trace_id == served.context.trace_id


async def test_it_stands_beneath_the_span_of_whoever_asked() -> None:
    served, asked = await Asking().done(headers=PARENT)
    assert served.parent is not None
    assert served.context is not None
    assert f"{served.context.trace_id:032x}" == TRACE
    assert f"{served.parent.span_id:016x}" == SPAN
    assert served.parent.is_remote
    assert not served.context.is_remote
    assert served.context.trace_state.get("vendor") == "1"
    assert asked.context is not None
    assert f"{asked.context.trace_id:032x}" == TRACE


async def test_the_try_has_the_names_of_the_conventions() -> None:
    _, asked = await Asking().done()
    assert told(asked) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "one",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 20,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "server.address": "one.example.com",
        "server.port": 443,
        "isthmus.provider": "one",
        "isthmus.key": "key",
    }


async def test_the_request_tells_what_became_of_it() -> None:
    line = Asking()
    served, _ = await line.done()
    assert told(served) == {
        "http.request.method": "POST",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "isthmus.exchange": line.recorded.exchanges[0].id,
        "isthmus.client": "anyone",
        "isthmus.model": "one/m",
        "isthmus.dialect": "openai_chat",
        "isthmus.lane": "passthrough",
        "isthmus.outcome": "answered",
        "isthmus.attempts": 1,
        "isthmus.losses": 0,
    }


async def test_a_stream_tells_when_its_first_piece_came() -> None:
    _, asked = await Asking(Scripted(PIECE, headers=SSE)).done(STREAMED)
    assert told(asked)["gen_ai.request.stream"] is True
    assert told(asked)["gen_ai.response.time_to_first_chunk"] == 0.0


async def test_times_are_those_of_the_clock() -> None:
    line = Asking()
    began = line.clock.time()
    await line.done()
    exchange = line.recorded.exchanges[0]
    assert exchange.finished_at is not None
    exchange.finished_at += 2.0
    served, asked = line.spans(exchange)
    assert (served.start_time, served.end_time) == (int(began * 1e9), int((began + 2.0) * 1e9))
    assert (asked.start_time, asked.end_time) == (served.start_time, served.end_time)


async def test_a_try_that_failed_is_an_error_and_the_request_that_was_answered_all_the_same_is_none() -> None:
    line = Asking(GatewayError(Kind.UPSTREAM_FAULT, SECRET), Scripted(ANSWER))
    served, failed, answered = await line.done()
    assert told(failed)["error.type"] == "upstream_fault"
    assert [one.status.status_code for one in (served, failed, answered)] == [
        StatusCode.UNSET,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert "gen_ai.usage.input_tokens" not in told(failed)


async def test_a_mistake_of_the_client_is_no_fault_of_the_server() -> None:
    served, refused = await Asking(GatewayError(Kind.INVALID, "no such field")).done()
    assert told(served)["error.type"] == told(refused)["error.type"] == "invalid"
    assert served.status.status_code is StatusCode.UNSET
    assert refused.status.status_code is StatusCode.ERROR


async def test_a_try_that_was_outrun_did_not_fail() -> None:
    line = Asking()
    await line.done()
    exchange = line.recorded.exchanges[0]
    exchange.attempts[0].error, exchange.attempts[0].note = Kind.CANCELLED, Note.HEDGED
    _, outrun = line.spans(exchange)
    assert outrun.status.status_code is StatusCode.UNSET
    assert told(outrun)["isthmus.note"] == "hedged"


async def test_an_answer_that_broke_off_after_it_had_begun_is_an_error_of_its_try() -> None:
    broken = GatewayError(Kind.CUT_SHORT, "the connection is gone")
    _, asked = await Asking(Scripted(PIECE[:150], broken, headers=SSE)).done(STREAMED)
    assert told(asked)["error.type"] == "cut_short"


async def test_nothing_that_was_said_and_no_words_of_an_error_stand_in_a_span() -> None:
    for line in (Asking(), Asking(*[GatewayError(Kind.UPSTREAM_FAULT, SECRET)] * 6)):
        for span in await line.done():
            assert SECRET not in span.to_json()


async def test_what_a_client_made_up_is_cut_short() -> None:
    served, *_ = await Asking().done(ASKED.replace(b"one/m", b"one/" + b"x" * 5000))
    assert all(len(str(value)) <= LONGEST for value in told(served).values())


async def test_a_model_in_the_path_makes_no_name_of_its_own() -> None:
    served, *_ = await Asking().done(b'{"contents":[]}', "/v1beta/models/one%2Fm:generateContent")
    assert served.name == "POST /v1beta/models/{model}:generateContent"


async def test_a_try_whose_answer_broke_off_is_over_when_another_goes_on_with_it() -> None:
    line = Asking(GatewayError(Kind.UPSTREAM_FAULT, "x"), Scripted(ANSWER))
    await line.done()
    exchange = line.recorded.exchanges[0]
    first, second = exchange.attempts
    first.ending, second.note = Ending.BROKEN, Note.CONTINUED
    second.began = first.began + 7.0
    assert over_at(exchange, 0) == second.began


def test_vendors_have_the_names_of_the_conventions() -> None:
    from isthmus.config.compile import compile_loaded

    text = "providers:\n  openai: {api-key: k}\n  my-claude: {type: anthropic, api-key: k}\n  gemini: {api-key: k}\n"
    text += "  mine: {type: compatible, base-url: 'http://127.0.0.1:9/v1'}\n"
    snapshot = compile_loaded(load_text(text), ollama=False)
    names = [vendor_of(name, snapshot) for name in ("openai", "my-claude", "gemini", "mine", "gone")]
    assert names == ["openai", "anthropic", "gcp.gemini", "mine", "gone"]


def test_every_type_that_is_named_otherwise_there_is_one_of_ours() -> None:
    from isthmus.providers.table import PROVIDERS as TYPES

    assert PROVIDERS.keys() <= TYPES.keys()
