"""A gateway that runs sends traces and metrics to a collector, over HTTP and in the protocol's own form."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from fakes.collector import Collector, open_collector, told
from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

WORDS = "the-word-that-nobody-may-see"
CLIENT_KEY, TOKEN = "sk-client-0123456789abcdef", "collector-token-0123456789"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with open_collector() as opened:
        yield opened


def configured(upstream: Upstream, collector: Collector, more: str = "") -> str:
    return f"""
providers:
  openai: {{base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello, fails-500]}}
client-keys: [{{name: tester, key: {CLIENT_KEY}}}]
otel:
  enabled: true
  endpoint: {collector.root}
  headers: {{authorization: "Bearer {TOKEN}"}}
  metrics-every: 1
{more}
limits: {{wait: 0}}
"""


def ask(gateway: RunningGateway, model: str, **headers: str) -> str:
    """The exchange's id."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": WORDS}]}).encode()
    said = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json", **headers}
    try:
        request = urllib.request.Request(f"{gateway.root}/v1/chat/completions", body, said)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(answer.headers["x-isthmus-id"])
    except urllib.error.HTTPError as refused:
        refused.close()
        return str(refused.headers["x-isthmus-id"])


def by_kind(spans: list[Span], kind: int) -> list[Span]:
    return [span for span in spans if span.kind == kind]


def test_a_collector_gets_spans_within_the_trace_of_whoever_asked_and_metrics(
    upstream: Upstream, collector: Collector, tmp_path: Path
) -> None:
    with open_gateway(configured(upstream, collector), tmp_path) as gateway:
        identity = ask(gateway, "says-hello", traceparent=f"00-{TRACE}-{SPAN}-01")
        spans = collector.spans_soon(2)
        [served], [asked] = by_kind(spans, Span.SPAN_KIND_SERVER), by_kind(spans, Span.SPAN_KIND_CLIENT)
        assert served.trace_id.hex() == asked.trace_id.hex() == TRACE
        assert served.parent_span_id.hex() == SPAN
        assert asked.parent_span_id == served.span_id
        assert served.start_time_unix_nano <= asked.start_time_unix_nano < asked.end_time_unix_nano
        assert told(served.attributes)["isthmus.exchange"] == identity
        assert told(served.attributes)["isthmus.client"] == "tester"
        assert told(asked.attributes)["gen_ai.provider.name"] == "openai"
        assert told(asked.attributes)["gen_ai.request.model"] == "says-hello"
        duration = collector.metric_soon("gen_ai.client.operation.duration")
        [point] = duration.histogram.data_points
        assert (duration.unit, point.count, sum(point.bucket_counts)) == ("s", 1, 1)
        assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
    resource = collector.resources[0]
    assert resource["service.name"] == "isthmus"
    assert {"service.version", "service.instance.id"} <= resource.keys()
    assert collector.headers["authorization"] == f"Bearer {TOKEN}"


def test_what_waits_is_sent_when_the_gateway_stops(upstream: Upstream, collector: Collector, tmp_path: Path) -> None:
    with open_gateway(configured(upstream, collector), tmp_path) as gateway:
        ask(gateway, "says-hello")
    assert len(collector.spans) == 2


def test_no_secret_and_nothing_that_was_said_reaches_the_collector_or_the_log(
    upstream: Upstream, collector: Collector, tmp_path: Path
) -> None:
    with open_gateway(configured(upstream, collector), tmp_path) as gateway:
        ask(gateway, "says-hello")
        ask(gateway, "fails-500")
        collector.spans_soon(3)
    for secret in (WORDS, CLIENT_KEY, KEY, TOKEN):
        assert secret.encode() not in collector.raw
        assert secret not in gateway.said()


def test_strangers_do_not_fill_the_collector(upstream: Upstream, collector: Collector, tmp_path: Path) -> None:
    with open_gateway(configured(upstream, collector), tmp_path) as gateway:
        ask(gateway, "says-hello", authorization="Bearer wrong")
        known = ask(gateway, "says-hello")
    assert [told(span.attributes)["isthmus.exchange"] for span in by_kind(collector.spans, Span.SPAN_KIND_SERVER)] == [
        known
    ]


def test_a_collector_that_is_gone_costs_no_request_and_is_told_of_once(
    upstream: Upstream, collector: Collector, tmp_path: Path
) -> None:
    collector.status = 400
    with open_gateway(configured(upstream, collector), tmp_path) as gateway:
        assert ask(gateway, "says-hello")
        said = gateway.said_soon("the collector does not take traces or metrics")
        assert ask(gateway, "says-hello")
        assert said.count("the collector does not take") == 1


def test_each_worker_is_an_instance_of_its_own(upstream: Upstream, collector: Collector, tmp_path: Path) -> None:
    with open_gateway(configured(upstream, collector), tmp_path, workers=2) as gateway:
        for _ in range(12):
            ask(gateway, "says-hello")
        spans = collector.spans_soon(24)
    assert len({span.span_id for span in spans}) == 24
    assert len({one["service.instance.id"] for one in collector.resources}) <= 2


def test_the_usual_variables_hold_where_the_file_says_nothing(
    upstream: Upstream, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.root)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Bearer {TOKEN}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    config = (
        f"providers: {{openai: {{base-url: '{upstream.root}/v1', api-key: {KEY}, models: [says-hello]}}}}\notel: true\n"
    )
    with open_gateway(config, tmp_path) as gateway:
        ask(gateway, "says-hello")
        collector.spans_soon(2)
    assert collector.resources[0]["service.name"] == "theirs"
    assert collector.resources[0]["deployment.environment.name"] == "test"
    assert collector.headers["authorization"] == f"Bearer {TOKEN}"
    assert collector.headers["content-encoding"] == "gzip"


def test_what_the_file_says_comes_before_the_variables(
    upstream: Upstream, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "theirs")
    with open_gateway(configured(upstream, collector, "  service-name: ours"), tmp_path) as gateway:
        ask(gateway, "says-hello")
        collector.spans_soon(2)
    assert collector.resources[0]["service.name"] == "ours"
