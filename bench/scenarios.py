"""What is measured: the columns, which are ways to a provider, and the kinds of load on each."""

import asyncio
import gc
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import uvloop

from bench.bodies import Dialect, Size, request
from bench.contenders import HEADERS, Manner, Place
from bench.load import Load, Tally, Target, request_to

PAUSE = 0.15
"""Seconds between two phases, for whatever the last one left behind to end."""


class Way(StrEnum):
    """Who stands between the client and the provider."""

    DIRECT = "direct"
    NGINX = "nginx"
    GATEWAY = "gateway"
    TEAM = "team"
    """The gateway with all that a team has on: a client key, its limits and budget, prices, and rows of use."""


class Contender(Protocol):
    """One that can be asked. `pid` is None when there is nothing between."""

    @property
    def pid(self) -> int | None: ...

    def place(self, client: Dialect, upstream: Dialect, manner: Manner) -> Place: ...


@dataclass(frozen=True)
class Column:
    """One way, for a client of one dialect and a provider of the same or the other."""

    name: str
    way: Way
    client: Dialect
    upstream: Dialect

    @property
    def translates(self) -> bool:
        return self.client is not self.upstream


_O, _A = Dialect.OPENAI, Dialect.ANTHROPIC
COLUMNS = (
    Column("direct", Way.DIRECT, _O, _O),
    Column("direct anthropic", Way.DIRECT, _A, _A),
    Column("nginx", Way.NGINX, _O, _O),
    Column("nginx anthropic", Way.NGINX, _A, _A),
    Column("openai", Way.GATEWAY, _O, _O),
    Column("anthropic", Way.GATEWAY, _A, _A),
    Column("openai>anthropic", Way.GATEWAY, _O, _A),
    Column("anthropic>openai", Way.GATEWAY, _A, _O),
    Column("openai, team", Way.TEAM, _O, _O),
    Column("anthropic>openai, team", Way.TEAM, _A, _O),
)


@dataclass(frozen=True)
class Scenario:
    """One kind of load. With a `rate` requests are sent at planned times, else in a closed loop."""

    name: str
    about: str
    size: Size = Size.SMALL
    manner: Manner = Manner.BURST
    streamed: bool = False
    connections: int = 32
    rate: float | None = None
    weight: float = 1.0
    """How long it runs, as a multiple of the run's span."""


SCENARIOS = (
    Scenario("small", "1.5 KB, as many as it carries"),
    Scenario("middle", "100 KB, as many as it carries", size=Size.MIDDLE),
    Scenario("large", "1 MB, as many as it carries", size=Size.LARGE, connections=8),
    Scenario("fixed", "1.5 KB at 200 requests/s", rate=200, weight=1.5),
    Scenario("burst", "32 streams of 200 events without pause", streamed=True),
    Scenario("paced", "40 streams, an event each 10 ms", manner=Manner.PACED, streamed=True, connections=40),
    Scenario("first", "100 streams/s, to their first event", manner=Manner.SHORT, streamed=True, rate=100),
)


def run(scenario: Scenario, column: Column, contender: Contender, span: float) -> Tally:
    """One phase of `span` seconds, after a shorter one that does not count."""
    target = aim(column, contender, scenario.manner, size=scenario.size, streamed=scenario.streamed)
    gc.collect()
    gc.disable()
    try:
        return uvloop.run(_phase(scenario, target, contender.pid, span * scenario.weight))
    finally:
        gc.enable()


def hold_streams(column: Column, contender: Contender, count: int, measure: "Measure") -> float:
    """Open so many slow streams, and tell what `measure` says once each has brought its first events."""
    target = aim(column, contender, Manner.SLOW, size=Size.SMALL, streamed=True)
    return uvloop.run(_held(target, count, measure))


def aim(column: Column, contender: Contender, manner: Manner, *, size: Size, streamed: bool) -> Target:
    """The request that `column` sends to `contender`."""
    place = contender.place(column.client, column.upstream, manner)
    body = request(column.client, size, place.model, stream=streamed)
    return Target(place.port, request_to(place.port, place.path, body, HEADERS[column.client]), streamed)


def applicable(columns: tuple[Column, ...], contenders: Mapping[Way, Contender]) -> list[Column]:
    """The columns whose way can be gone here."""
    return [column for column in columns if column.way in contenders]


class Measure(Protocol):
    def __call__(self) -> float: ...


async def _phase(scenario: Scenario, target: Target, pid: int | None, span: float) -> Tally:
    load = Load(target, pid)
    warmup = min(0.6, span / 4)
    if scenario.rate is not None:
        tally = await load.planned(scenario.rate, warmup, span)
    else:
        tally = await load.closed(scenario.connections, warmup, span)
    await asyncio.sleep(PAUSE)
    return tally


async def _held(target: Target, count: int, measure: Measure) -> float:
    load = Load(target, None)
    try:
        await load.hold(count, lambda tally: len(tally.first) >= count, 20.0)
        await asyncio.sleep(1.5)
        return measure()
    finally:
        await load.close()
