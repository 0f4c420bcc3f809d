"""A collector of OpenTelemetry: takes OTLP over HTTP, and reads it with the protocol's own classes."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SAYS_WITHIN = 20.0
Told: TypeAlias = Mapping[str, object]


class Collector:
    """What came so far. `status` is what it answers; `headers` are those of the latest call."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.status = 200
        self.raw = b""
        self.headers: Mapping[str, str] = {}
        self.resources: list[Told] = []
        self.spans: list[Span] = []
        self.metrics: dict[str, Metric] = {}
        self._came = threading.Condition()

    def take(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        with self._came:
            self.raw += body
            self.headers = headers
            if path == "/v1/traces":
                for whole in ExportTraceServiceRequest.FromString(body).resource_spans:
                    self.resources.append(told(whole.resource.attributes))
                    self.spans += [span for scope in whole.scope_spans for span in scope.spans]
            else:
                assert path == "/v1/metrics", path
                for all_ in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    self.resources.append(told(all_.resource.attributes))
                    self.metrics |= {one.name: one for scope in all_.scope_metrics for one in scope.metrics}
            self._came.notify_all()

    def spans_soon(self, count: int) -> list[Span]:
        """The spans, once there are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.spans) >= count, SAYS_WITHIN), self.spans
            return list(self.spans)

    def metric_soon(self, name: str) -> Metric:
        with self._came:
            assert self._came.wait_for(lambda: name in self.metrics, SAYS_WITHIN), self.metrics.keys()
            return self.metrics[name]


def told(attributes: "Iterator[KeyValue]") -> Told:
    """Attributes by their names."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}


@contextmanager
def open_collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if collector.status == 200:
                collector.take(self.path, body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(collector.status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is told of what came."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
