"""What is sent to a collector is sent in batches, within bounds, and what is lost is counted."""

from collections.abc import Iterator, Sequence
from random import Random

import pytest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange
from isthmus.engine.tracing import Tracer
from isthmus.telemetry.model_names import OTHER
from isthmus.telemetry.otel import sender as sending
from isthmus.telemetry.otel.measures import DURATION, FIRST, TOKENS
from isthmus.telemetry.otel.sender import Sender, Way
from isthmus.wire.headers import Headers
from support.asgi import Visit, application
from support.line import Line, provider

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
STREAMED = ASKED.replace(b'"model"', b'"stream":true,"model"')
UNSAMPLED: Headers = ((b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),)
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":9,'
    b'"total_tokens":39}}'
)
PIECE = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
FAULT = GatewayError(Kind.UPSTREAM_FAULT, "broken")


class Spans(SpanExporter):
    def __init__(self) -> None:
        self.batches: list[Sequence[ReadableSpan]] = []
        self.result = SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.batches.append(spans)
        return self.result


class Numbers(MetricExporter):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[MetricsData] = []

    def export(self, metrics_data: MetricsData, timeout_millis: float = 0, **kwargs: object) -> MetricExportResult:
        self.sent.append(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis: float = 0) -> bool:
        return True

    def shutdown(self, timeout_millis: float = 0, **kwargs: object) -> None:
        """Nothing is open."""

    def points(self, name: str) -> list[HistogramDataPoint]:
        """Those of the latest sending."""
        [resource] = self.sent[-1].resource_metrics
        found = [one for scope in resource.scope_metrics for one in scope.metrics if one.name == name]
        for one in found:
            assert one.data.aggregation_temporality is AggregationTemporality.CUMULATIVE
        return [point for one in found for point in one.data.data_points]


class Sending:
    """A line whose exchanges are handed to a sender."""

    def __init__(self, *script: Scripted | GatewayError) -> None:
        self.line = Line([provider("one")], {"one": script})
        self.line.ports.tracer = Tracer(dice=Random(1))
        self.spans, self.numbers = Spans(), Numbers()
        self.sender = Sender(Way(self.spans, self.numbers), self.line.live, self.line.clock, Resource({"a": "b"}))

    async def ask(self, body: bytes = ASKED, headers: Headers = ()) -> None:
        await Visit(application(self.line), "/v1/chat/completions", body, headers=headers).done()
        self.sender.take(self.line.recorded.exchanges[-1:])

    async def numbers_of(self, name: str) -> list[HistogramDataPoint]:
        await self.sender.send_metrics()
        return self.numbers.points(name)


async def test_spans_of_several_exchanges_are_sent_together() -> None:
    made = Sending(Scripted(ANSWER), Scripted(ANSWER))
    await made.ask()
    await made.ask()
    await made.sender.send_spans()
    assert [len(batch) for batch in made.spans.batches] == [4]
    assert made.sender.state == "sending"


async def test_a_trace_that_is_not_sampled_sends_no_span_and_is_measured() -> None:
    made = Sending(Scripted(ANSWER))
    await made.ask(headers=UNSAMPLED)
    await made.sender.close()
    assert made.spans.batches == []
    assert len(made.numbers.points(DURATION.name)) == 1


async def test_what_finds_no_room_is_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WAITING", 2)
    made = Sending(*[Scripted(ANSWER) for _ in range(3)])
    for _ in range(3):
        await made.ask()
    assert made.sender.dropped == 1


async def test_what_the_collector_does_not_take_is_lost_and_counted_until_it_takes_more() -> None:
    made = Sending(Scripted(ANSWER), Scripted(ANSWER))
    made.spans.result = SpanExportResult.FAILURE
    await made.ask()
    await made.sender.send_spans()
    assert made.sender.dropped == 1
    assert made.sender.state == "unreachable, 1 traces are lost"
    made.spans.result = SpanExportResult.SUCCESS
    await made.ask()
    await made.sender.send_spans()
    assert made.sender.state == "sending"


async def test_what_only_explains_is_not_sent() -> None:
    made = Sending(Scripted(ANSWER))
    await Visit(application(made.line), "/v0/explain", ASKED).done()
    made.sender.take(made.line.recorded.exchanges)
    await made.sender.close()
    assert made.spans.batches == []
    assert made.numbers.sent == []


async def test_tokens_are_measured_by_their_type() -> None:
    made = Sending(Scripted(ANSWER))
    await made.ask()
    points = {str((one.attributes or {})["gen_ai.token.type"]): one for one in await made.numbers_of(TOKENS.name)}
    assert {name: (one.count, one.sum) for name, one in points.items()} == {"input": (1, 30), "output": (1, 9)}
    bounds, counts = points["input"].explicit_bounds, points["input"].bucket_counts
    assert (bounds[2], bounds[3], counts[3], sum(counts)) == (16, 64, 1, 1)


async def test_every_try_is_measured_and_says_how_it_failed() -> None:
    made = Sending(FAULT, Scripted(ANSWER))
    await made.ask()
    told = [dict(one.attributes or {}) for one in await made.numbers_of(DURATION.name)]
    common = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "one", "isthmus.provider": "one"}
    assert told == [
        {**common, "gen_ai.request.model": OTHER, "error.type": "upstream_fault"},
        {**common, "gen_ai.request.model": "m"},
    ]


async def test_a_stream_is_measured_to_its_first_piece() -> None:
    made = Sending(Scripted(PIECE, headers=SSE), Scripted(ANSWER))
    await made.ask(STREAMED)
    await made.ask()
    assert [one.count for one in await made.numbers_of(FIRST.name)] == [1]


async def test_numbers_are_all_since_the_start() -> None:
    made = Sending(Scripted(ANSWER), Scripted(ANSWER))
    await made.ask()
    [before] = await made.numbers_of(DURATION.name)
    made.line.clock.move(60)
    await made.ask()
    [after] = await made.numbers_of(DURATION.name)
    assert (before.count, after.count) == (1, 2)
    assert before.start_time_unix_nano == after.start_time_unix_nano
    assert after.time_unix_nano - before.time_unix_nano == 60_000_000_000


async def test_a_fault_of_ours_loses_the_spans_of_one_exchange_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Sending(Scripted(ANSWER), Scripted(ANSWER))
    await made.ask()
    await made.ask()
    first, spans_of = made.line.recorded.exchanges[0], sending.spans_of

    def faulty(exchange: Exchange, *told: object) -> Iterator[ReadableSpan]:
        return iter([1 / 0]) if exchange is first else spans_of(exchange, *told)

    monkeypatch.setattr(sending, "spans_of", faulty)
    await made.sender.send_spans()
    assert made.sender.dropped == 1
    assert [len(batch) for batch in made.spans.batches] == [2]


async def test_a_model_that_failed_at_first_has_its_own_name_once_it_has_answered() -> None:
    made = Sending(FAULT, Scripted(ANSWER), FAULT, Scripted(ANSWER))
    await made.ask()
    await made.ask()
    told = [dict(one.attributes or {}) for one in await made.numbers_of(DURATION.name)]
    assert [(one["gen_ai.request.model"], one.get("error.type")) for one in told] == [
        (OTHER, "upstream_fault"),
        ("m", None),
        ("m", "upstream_fault"),
    ]
