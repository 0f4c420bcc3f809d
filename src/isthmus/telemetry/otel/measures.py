"""The metrics of the conventions for generative AI, counted from exchanges that are over, many at a time.

Kept as plain numbers and made into OpenTelemetry's form when they are sent: all since the start, each time. A model has
a name of its own here as it has in the page for Prometheus, so nobody can make series without end.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from isthmus.core.operations import Operation
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.live import Live, Now
from isthmus.telemetry.model_names import OTHER, ModelNames
from isthmus.telemetry.one_by_one import one_by_one
from isthmus.telemetry.otel.names import OPERATIONS, SCOPE, VERSION, vendor_of
from isthmus.telemetry.otel.tries import error_of, first_chunk, over_at, used_at


class Measured(NamedTuple):
    """One of the metrics, as the conventions describe it."""

    name: str
    unit: str
    about: str
    bounds: tuple[float, ...]


_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(float(4**power) for power in range(14))
DURATION = Measured("gen_ai.client.operation.duration", "s", "GenAI operation duration.", _SECONDS)
TOKENS = Measured("gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.", _TOKENS)
FIRST = Measured("gen_ai.client.operation.time_to_first_chunk", "s", "Time to receive the first chunk.", _SECONDS)


MOST_ALIKE = 2000
"""Kinds of tries whose rows are known at once; beyond that, all are looked for again."""


class Row:
    """Numbers of one kind: how many fell into each bucket, their sum, the least and the greatest."""

    __slots__ = ("_bounds", "counts", "greatest", "least", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.least = float("inf")
        self.greatest = float("-inf")

    def add(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)


class Kept(NamedTuple):
    """What tries have in common that are counted together."""

    operation: Operation
    provider: str
    model: str
    error: str = ""
    tokens: str = ""


class _Same:
    """The rows of tries that are alike; those of tokens and of streams once one of them had any."""

    __slots__ = ("duration", "first", "kept", "tokens")

    def __init__(self, kept: Kept, duration: Row) -> None:
        self.kept = kept
        self.duration = duration
        self.tokens: tuple[Row, Row] | None = None
        self.first: Row | None = None


class Measures:
    """For one process, since Unix time `at`."""

    def __init__(self, live: Live, resource: Resource, at: float) -> None:
        self._live = live
        self._resource = resource
        self._since = int(at * 1e9)
        self._names = ModelNames()
        self._rows: dict[Measured, dict[Kept, Row]] = {DURATION: {}, TOKENS: {}, FIRST: {}}
        self._vendors: dict[str, str] = {}
        self._same: dict[tuple[object, ...], _Same] = {}
        self._now: Now | None = None

    def count(self, exchanges: Sequence[Exchange]) -> None:
        """Take in exchanges that are over, each once."""
        now = self._live.take()
        if now is not self._now or len(self._same) > MOST_ALIKE:
            self._same.clear()
            self._now = now
        one_by_one(exchanges, lambda exchange: self._count_tries(exchange, now))

    def made(self, at: float) -> MetricsData | None:
        """All that was counted, at Unix time `at`; None where that is nothing."""
        time = int(at * 1e9)
        metrics = [self._metric(one, rows, time) for one, rows in self._rows.items() if rows]
        if not metrics:
            return None
        scope = ScopeMetrics(InstrumentationScope(SCOPE, VERSION), metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scope], "")])

    def _count_tries(self, exchange: Exchange, now: Now) -> None:
        for index, record in enumerate(exchange.attempts):
            self._count(exchange, index, record, now)

    def _count(self, exchange: Exchange, index: int, record: AttemptRecord, now: Now) -> None:
        failure, target = error_of(exchange, record), record.target
        key = (exchange.call.codec.operation, target.provider, target.model, record is exchange.answered, failure)
        same = self._same.get(key)
        if same is None:
            same = self._alike(exchange, record, now)
            if same.kept.model != OTHER or record is exchange.answered:  # else its model may have a name of its own yet
                self._same[key] = same
        same.duration.add(over_at(exchange, index) - record.began)
        usage = used_at(exchange, record)
        if usage is not None:
            if same.tokens is None:
                into, out = same.kept._replace(tokens="input"), same.kept._replace(tokens="output")
                same.tokens = self._row(TOKENS, into), self._row(TOKENS, out)
            same.tokens[0].add(usage.input)
            same.tokens[1].add(usage.total_output)
        first = first_chunk(exchange, record)
        if first is not None:
            same.first = same.first or self._row(FIRST, same.kept)
            same.first.add(first)

    def _alike(self, exchange: Exchange, record: AttemptRecord, now: Now) -> _Same:
        """The rows of a try, and of all like it."""
        name, failure = record.target.provider, error_of(exchange, record)
        self._vendors[name] = vendor_of(name, now.snapshot)
        model = self._names.label(record.target, now, answered=record is exchange.answered)
        kept = Kept(exchange.call.codec.operation, name, model)
        return _Same(kept, self._row(DURATION, kept if failure is None else kept._replace(error=str(failure))))

    def _row(self, measured: Measured, kept: Kept) -> Row:
        return self._rows[measured].setdefault(kept, Row(measured.bounds))

    def _metric(self, measured: Measured, rows: Mapping[Kept, Row], time: int) -> Metric:
        points = [self._point(measured, kept, row, time) for kept, row in rows.items()]
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
        return Metric(measured.name, measured.about, measured.unit, data)

    def _point(self, measured: Measured, kept: Kept, row: Row, time: int) -> HistogramDataPoint:
        attributes = {
            "gen_ai.operation.name": OPERATIONS[kept.operation],
            "gen_ai.provider.name": self._vendors[kept.provider],
            "gen_ai.request.model": kept.model,
            "gen_ai.token.type": kept.tokens,
            "error.type": kept.error,
            "isthmus.provider": kept.provider,
        }
        return HistogramDataPoint(
            attributes={name: value for name, value in attributes.items() if value},
            start_time_unix_nano=self._since,
            time_unix_nano=time,
            count=sum(row.counts),
            sum=row.sum,
            bucket_counts=tuple(row.counts),
            explicit_bounds=measured.bounds,
            min=row.least,
            max=row.greatest,
        )
