"""The page that Prometheus reads, made of numbers by series. Takes a while where there are many: not for the loop."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from isthmus.telemetry.sums import Series
from isthmus.telemetry.table import METRICS, Metric, Sort

Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
Rows: TypeAlias = Sequence[tuple[Sequence[str], Sequence[float]]]


def write_page(series: Series) -> bytes:
    """The text, every metric of the table in its order; one without labels is 0 where nothing was counted."""
    registry = CollectorRegistry()
    registry.register(_Numbers(_with_means(series)))
    return generate_latest(registry)


class _Numbers(Collector):
    def __init__(self, series: Series) -> None:
        self._rows: dict[str, list[tuple[Sequence[str], Sequence[float]]]] = {}
        for (name, *labels), values in series.items():
            self._rows.setdefault(name, []).append((labels, values))

    def describe(self) -> Iterable[Family]:
        return ()

    def collect(self) -> Iterator[Family]:
        for metric in METRICS.values():
            rows: Rows = self._rows.get(metric.name, ())
            if not rows and not metric.labels:
                rows = [((), [0.0] * metric.width)]
            yield _histogram(metric, rows) if metric.sort is Sort.HISTOGRAM else _plain(metric, rows)


def _plain(metric: Metric, rows: Rows) -> Family:
    kind = CounterMetricFamily if metric.sort is Sort.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.about, labels=metric.labels)
    for labels, values in rows:
        family.add_metric(labels, values[0])
    return family


def _histogram(metric: Metric, rows: Rows) -> Family:
    family = HistogramMetricFamily(metric.name, metric.about, labels=metric.labels)
    bounds = [*map(str, metric.buckets), "+Inf"]
    for labels, (*counts, total) in rows:
        sums = [sum(counts[: index + 1]) for index in range(len(counts))]
        family.add_metric(labels, list(zip(bounds, sums, strict=True)), total)
    return family


def _with_means(series: Series) -> Series:
    """Together with what is worked out of sums: means and shares by provider, and its cost."""
    costs: dict[str, float] = {}
    tries: dict[str, list[float]] = {}
    made: Series = {}
    for (name, *labels), values in series.items():
        if name == "isthmus_cost_dollars_total":
            costs[labels[0]] = costs.get(labels[0], 0.0) + values[0]
        elif name == "isthmus_attempts_total" and labels[1] not in _NOT_ITS_FAULT:
            mine = tries.setdefault(labels[0], [0.0, 0.0])
            mine[labels[1] != "answered"] += values[0]
        elif name == "llm_request_duration_seconds" and (count := sum(values[:-1])):
            made["llm_latency_ms_avg", labels[0]] = [values[-1] / count * 1000]
    made |= {("llm_cost_total", provider, "USD"): [dollars] for provider, dollars in costs.items()}
    made |= {("llm_error_rate", one): [failed / (well + failed)] for one, (well, failed) in tries.items()}
    return series | made


_NOT_ITS_FAULT = ("given_up", "cancelled")
"""Results of attempts that tell nothing of a provider."""
