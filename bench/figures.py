"""Figures out of what was seen: per round and column, then the median of the rounds.

A multiple of nginx, or time added to a direct connection, is taken within one round, between
phases that ran directly after each other, and only then over the rounds.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.load import Tally, percentile
from bench.scenarios import COLUMNS, Column, Way

Seen = Mapping[tuple[str, str], list[Tally]]
"""The tallies of all rounds, by the names of scenario and column."""
Figure = Callable[[Tally, Tally | None, Tally | None], float | None]
"""From a tally, nginx's and the direct connection's of the same round. None where it has no meaning."""


@dataclass(frozen=True)
class Row:
    """One line of the table. `digits` after the point."""

    name: str
    scenario: str
    figure: Figure
    digits: int = 1


def cpu_per_request(tally: Tally) -> float | None:
    """Microseconds."""
    return tally.cpu / tally.requests * 1e6 if tally.cpu and tally.requests else None


def cpu_per_event(tally: Tally) -> float | None:
    """Microseconds."""
    return tally.cpu / tally.events * 1e6 if tally.cpu and tally.events else None


def _times_nginx(cost: Callable[[Tally], float | None]) -> Figure:
    def figure(tally: Tally, nginx: Tally | None, _: Tally | None) -> float | None:
        own, theirs = cost(tally), cost(nginx) if nginx is not None else None
        return own / theirs if own and theirs else None

    return figure


def _alone(cost: Callable[[Tally], float | None]) -> Figure:
    return lambda tally, _nginx, _direct: cost(tally)


def _added(times: Callable[[Tally], list[float]], share: float) -> Figure:
    """Milliseconds beyond the direct connection's, at the same share of the answers."""

    def figure(tally: Tally, _: Tally | None, direct: Tally | None) -> float | None:
        if direct is None or direct is tally:
            return None
        return (percentile(times(tally), share) - percentile(times(direct), share)) * 1000

    return figure


def _share(times: Callable[[Tally], list[float]], share: float) -> Figure:
    return lambda tally, _nginx, _direct: percentile(times(tally), share) * 1000


def _latency(tally: Tally) -> list[float]:
    return tally.latency


def _first(tally: Tally) -> list[float]:
    return tally.first


def _request_rows(scenario: str, label: str) -> tuple[Row, ...]:
    return (
        Row(f"{label}: CPU, us a request", scenario, _alone(cpu_per_request)),
        Row(f"{label}: CPU, times nginx", scenario, _times_nginx(cpu_per_request), 2),
        Row(f"{label}: requests/s at saturation", scenario, _alone(lambda tally: tally.requests / tally.seconds), 0),
    )


ROWS = (
    *_request_rows("small", "1.5 KB"),
    *_request_rows("middle", "100 KB"),
    *_request_rows("large", "1 MB"),
    Row("200 requests/s: p50, ms", "fixed", _share(_latency, 0.5), 2),
    Row("200 requests/s: added p50, ms", "fixed", _added(_latency, 0.5), 2),
    Row("200 requests/s: added p99, ms", "fixed", _added(_latency, 0.99), 2),
    Row("burst streams: events/s", "burst", _alone(lambda tally: tally.events / tally.seconds), 0),
    Row("burst streams: CPU, us an event", "burst", _alone(cpu_per_event), 2),
    Row("paced streams: CPU, us an event", "paced", _alone(cpu_per_event)),
    Row("paced streams: CPU, times nginx", "paced", _times_nginx(cpu_per_event), 2),
    Row("first event: p50, ms", "first", _share(_first, 0.5), 2),
    Row("first event: added p50, ms", "first", _added(_first, 0.5), 2),
    Row("first event: added p99, ms", "first", _added(_first, 0.99), 2),
)


def value(row: Row, column: Column, seen: Seen) -> float | None:
    """The median over the rounds."""
    tallies = seen.get((row.scenario, column.name), [])
    found = []
    for number, tally in enumerate(tallies):
        nginx, direct = (_beside(way, row, column, seen, number) for way in (Way.NGINX, Way.DIRECT))
        figure = row.figure(tally, nginx, direct)
        if figure is not None:
            found.append(figure)
    return statistics.median(found) if found else None


def errors(seen: Seen) -> Mapping[str, int]:
    """Requests without a 200, by scenario and column; only where there were any."""
    return {
        f"{scenario}, {column}": count
        for (scenario, column), tallies in seen.items()
        if (count := sum(tally.errors for tally in tallies))
    }


def _beside(way: Way, row: Row, column: Column, seen: Seen, number: int) -> Tally | None:
    """The same round of another way, for the same client dialect."""
    name = next(one.name for one in COLUMNS if one.way is way and one.client is column.client)
    tallies = seen.get((row.scenario, name), [])
    return tallies[number] if number < len(tallies) else None
