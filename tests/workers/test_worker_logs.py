"""Each worker has the log of all, and a number means the same line at each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from isthmus.engine.logs import LogQuery
from isthmus.state.memory import BoundedMemory
from isthmus.telemetry.ring import Ring
from isthmus.workers import hub as hubs
from isthmus.workers.hub import FIRST_LINE, Hub
from isthmus.workers.link import Link, open_link
from isthmus.workers.logs import LogOfWorkers


class NoModel:
    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        raise NotImplementedError

    async def lost(self, port: int, within: float = 1.0) -> bool:
        raise NotImplementedError


class Pair:
    """Two workers' rings, and their links to one hub."""

    def __init__(self, links: list[Link]) -> None:
        self.links = links
        self.rings = [Ring() for _ in links]
        self.logs = [LogOfWorkers(link, ring) for link, ring in zip(links, self.rings, strict=True)]

    async def heard(self) -> None:
        """What was told by now has gone around."""
        for link in self.links:
            await link.ask("get", "nothing", budget=5)
        for link in self.links:
            await link.ask("get", "nothing", budget=5)

    def told(self) -> list[list[tuple[int, bytes]]]:
        return [[(line.number, line.fields) for line in logs.lines()] for logs in self.logs]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    clock = FakeClock()
    hub = Hub(BoundedMemory(clock.now), NoModel(), clock)
    async with hub.open(tmp_path / "hub"), AsyncExitStack() as opened:
        yield Pair([await opened.enter_async_context(open_link(tmp_path / "hub", lambda: None)) for _ in range(2)])


def line(words: bytes) -> list[tuple[float, str, bytes]]:
    return [(1.0, "info", words)]


async def test_lines_of_all_have_the_same_numbers_at_each(pair: Pair) -> None:
    for number, ring in enumerate((*pair.rings, pair.rings[0])):
        ring.put(line(b"%d" % number))
        await pair.heard()
    told = [(FIRST_LINE + 1, b"0"), (FIRST_LINE + 2, b"1"), (FIRST_LINE + 3, b"2")]
    assert pair.told() == [told, told]


async def test_who_follows_one_worker_is_told_the_lines_of_another(pair: Pair) -> None:
    pair.rings[0].put(line(b"before"))
    await pair.heard()
    feed = pair.logs[0].follow(LogQuery(after=FIRST_LINE + 1))
    pair.rings[1].put(line(b"other"))
    async with asyncio.timeout(5):
        assert [one.fields for one in await anext(feed)] == [b"other"]


async def test_a_line_from_another_thread_goes_around_as_well(pair: Pair) -> None:
    await asyncio.to_thread(pair.rings[0].put, line(b"thread"))
    await pair.heard()
    assert [len(told) for told in pair.told()] == [1, 1]


async def test_what_one_clears_is_cleared_at_all(pair: Pair) -> None:
    pair.rings[0].put(line(b"gone"))
    await pair.heard()
    pair.logs[1].clear()
    await pair.heard()
    assert pair.told() == [[], []]


async def test_a_worker_that_does_not_read_misses_lines_and_is_told_how_many(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.rings[0].put(line(b"first"))
    await pair.heard()
    with monkeypatch.context() as patch:
        patch.setattr(hubs, "LATE", 0)
        pair.rings[0].put([*line(b"second"), *line(b"third")])
        await pair.heard()
    pair.rings[0].put(line(b"fourth"))
    await pair.heard()
    feed = pair.logs[1].follow(LogQuery(after=FIRST_LINE + 1))
    async with asyncio.timeout(5):
        gap, fourth = await anext(feed)
    assert (gap.text, fourth.number) == ("warning 2 lines were written faster than they were read", FIRST_LINE + 4)


async def test_without_the_hub_a_worker_keeps_its_own(pair: Pair) -> None:
    pair.links[0].close()
    pair.rings[0].put(line(b"own"))
    assert [told[1] for told in pair.told()[0]] == [b"own"]
