"""The way to a collector of OpenTelemetry, opened as configured. Its library is imported only where that is on."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from isthmus import __version__
from isthmus.config.schema_otel import OtelEntry
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock
from isthmus.engine.tracing import Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from isthmus.telemetry.otel.sender import Sender, Way

NAME = "isthmus"


class OpenedOtel(NamedTuple):
    """`tracer` is None where no spans are sent."""

    sender: "Sender"
    tracer: Tracer | None


@asynccontextmanager
async def opened_otel(entry: OtelEntry, live: Live, clock: Clock) -> AsyncIterator[OpenedOtel | None]:
    """None where it is switched off."""
    if not entry.enabled:
        yield None
        return
    from isthmus.telemetry.otel.sender import Sender  # noqa: PLC0415  an extra, and slow to import

    _be_silent()
    way = _way(entry)
    sender = Sender(way, live, clock, _resource(entry))
    work = asyncio.create_task(sender.run())
    try:
        yield OpenedOtel(sender, Tracer(entry.sample, tells=entry.propagate) if entry.traces else None)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await sender.close()
        for exporter in (way.spans, way.metrics):
            if exporter is not None:
                exporter.shutdown()


def _way(entry: OtelEntry) -> "Way":
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415  an extra
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra

    from isthmus.telemetry.otel.sender import Way  # noqa: PLC0415  an extra

    headers = {name: value.reveal() for name, value in entry.headers.items()}
    base = None if entry.endpoint is None else entry.endpoint.rstrip("/")
    spans = OTLPSpanExporter(None if base is None else f"{base}/v1/traces", headers=headers)
    metrics = OTLPMetricExporter(None if base is None else f"{base}/v1/metrics", headers=headers)
    return Way(spans if entry.traces else None, metrics if entry.metrics else None, entry.metrics_every)


def _resource(entry: OtelEntry) -> "Resource":
    """What is told of the process: what the library finds in its variables, and which one it is."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  an extra

    own = {"service.version": __version__, "service.instance.id": str(uuid.uuid4())}
    found = Resource.create(own)
    named = str(found.attributes.get("service.name", ""))
    if entry.service_name is None and not named.startswith("unknown_service"):
        return found
    return found.merge(Resource({"service.name": entry.service_name or NAME}))


def _be_silent() -> None:
    """What the library would say of a collector that is gone, we say ourselves, and once."""
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
