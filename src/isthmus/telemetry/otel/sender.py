"""Sends spans and metrics to a collector: in batches, in a thread, away from requests.

What waits is bounded. A collector that is slow or gone costs spans, which are counted, and no request.
"""

import asyncio
import logging
from collections.abc import Sequence

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from isthmus.core.errors import Kind
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Live, Now
from isthmus.engine.ports import Clock
from isthmus.engine.shadow import PATH as SHADOW
from isthmus.telemetry.one_by_one import Spoiled, one_by_one
from isthmus.telemetry.otel.measures import Measures
from isthmus.telemetry.otel.spans import spans_of
from isthmus.telemetry.tally import NO_QUESTION

WAITING = 4096
"""Exchanges whose spans wait at most."""
AT_ONCE = 64
"""Exchanges whose spans are sent together: no more than are written in the time that threads take turns in."""
EVERY = 2.0
"""Seconds that the spans of an exchange wait for others."""
CLOSES_WITHIN = 3.0
"""Seconds in which what waits is still sent when the gateway stops."""

log = logging.getLogger(__name__)


class Way:
    """Where spans and metrics go; None for what is not sent. `every` is in seconds, between two sendings of metrics."""

    def __init__(self, spans: SpanExporter | None, metrics: MetricExporter | None, every: float = 60.0) -> None:
        self.spans = spans
        self.metrics = metrics
        self.every = every


class Sender:
    """`take` is one of the log's counts, `run` its work. `dropped` counts exchanges whose spans were lost."""

    def __init__(self, way: Way, live: Live, clock: Clock, resource: Resource) -> None:
        self.dropped = 0
        self._way = way
        self._live = live
        self._clock = clock
        self._resource = resource
        self._measures = Measures(live, resource, clock.time())
        self._waiting: list[Exchange] = []
        self._enough = asyncio.Event()
        self._gone = False

    @property
    def state(self) -> str:
        """For people: whether the collector takes what it is sent."""
        return f"unreachable, {self.dropped} traces are lost" if self._gone else "sending"

    def take(self, exchanges: Sequence[Exchange]) -> None:
        """Take in exchanges that are over, each once."""
        asked = [one for one in exchanges if _matters(one)]
        if self._way.spans is not None:
            traced = [one for one in asked if one.trace is not None and one.trace.sampled]
            room = WAITING - len(self._waiting)
            self._waiting += traced[:room]
            self.dropped += max(0, len(traced) - room)
            if len(self._waiting) >= AT_ONCE:
                self._enough.set()
        if self._way.metrics is not None:
            self._measures.count(asked)

    async def run(self) -> None:
        """Send what comes, until cancelled."""
        due = self._clock.now() + self._way.every
        while True:
            try:
                async with asyncio.timeout(min(EVERY, self._way.every)):
                    await self._enough.wait()
            except TimeoutError:
                pass
            self._enough.clear()
            while self._waiting:
                await self.send_spans()
            if self._clock.now() >= due:
                due += self._way.every
                await self.send_metrics()

    async def close(self) -> None:
        """Send what waits, within a bound. `run` has ended before."""
        try:
            async with asyncio.timeout(CLOSES_WITHIN):
                while self._waiting:
                    await self.send_spans()
                await self.send_metrics()
        except TimeoutError:
            self.dropped += len(self._waiting)

    async def send_spans(self) -> None:
        """Those of the exchanges that have waited the longest."""
        exporter = self._way.spans
        if exporter is None:
            return
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        if not await asyncio.to_thread(self._exported, exporter, batch, self._live.take()):
            self.dropped += len(batch)

    async def send_metrics(self) -> None:
        data, exporter = self._measures.made(self._clock.time()), self._way.metrics
        if data is not None and exporter is not None:
            result = await asyncio.to_thread(exporter.export, data)
            self._note(well=result is MetricExportResult.SUCCESS)

    def _exported(self, exporter: SpanExporter, batch: Sequence[Exchange], now: Now) -> bool:
        spans: list[ReadableSpan] = []

        def take(exchange: Exchange) -> None:
            if exchange.trace is not None:
                spans.extend(spans_of(exchange, exchange.trace, now, self._resource))

        try:
            one_by_one(batch, take)
        except Spoiled as some:
            self.dropped += len(some.faults)
            identity, fault = next(iter(some.faults.items()))
            log.error("spans are lost by a fault of the gateway, such as those of %s", identity, exc_info=fault)
        well = not spans or exporter.export(spans) is SpanExportResult.SUCCESS
        self._note(well=well)
        return well

    def _note(self, *, well: bool) -> None:
        if not well and not self._gone:
            log.warning("the collector does not take traces or metrics; what it is not told is lost")
        self._gone = not well


def _matters(exchange: Exchange) -> bool:
    """Was a model asked, and by somebody who may? Strangers do not fill the collector."""
    path, error = exchange.call.path, exchange.error
    if path.startswith(NO_QUESTION) or path == SHADOW:
        return False
    return error is None or error.kind is not Kind.UNAUTHENTICATED
