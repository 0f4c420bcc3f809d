"""Whichever worker is asked for metrics, it tells the sums of all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.state.memory import BoundedMemory
from isthmus.telemetry import metrics
from isthmus.telemetry.model_names import OTHER
from isthmus.telemetry.sums import add, pack, unpack
from isthmus.workers import sums
from isthmus.workers.hub import Hub
from isthmus.workers.link import Link, open_link
from isthmus.workers.metrics import HubSums
from isthmus.workers.sums import Sums
from support.line import Line, provider
from support.metering import Meter

ASKED = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
REQUESTS = "llm_requests_total{model=m,provider=one}"


class NoModel:
    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        raise GatewayError(Kind.UNREACHABLE, "there is none")

    async def lost(self, port: int, within: float = 1.0) -> bool:
        return True


class Team:
    """A hub and its workers."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.hub = Hub(BoundedMemory(clock.now), NoModel(), clock)
        self.links: list[Link] = []
        self.workers: list[Meter] = []

    async def join(self, path: Path, opened: AsyncExitStack) -> Meter:
        link = await opened.enter_async_context(open_link(path, lambda: None))
        line = Line([provider("one")], {"one": [Scripted(ANSWER)] * 3})
        worker = Meter(line, HubSums(link), str(len(self.workers) + 1))
        self.links.append(link)
        self.workers.append(worker)
        return worker

    async def heard(self) -> None:
        """All that the workers told has been heard, also that one of them left."""
        for link in self.links:
            await link.ask("get", "nothing")
        async with asyncio.timeout(5):
            while len(self.hub.guests) > sum(link.alive for link in self.links):
                await asyncio.sleep(0)


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    team = Team()
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(team.hub.open(tmp_path / "hub"))
        for _ in range(2):
            await team.join(tmp_path / "hub", opened)
        yield team


async def test_what_each_worker_counted_is_in_the_sums_of_both(team: Team) -> None:
    first, second = team.workers
    await first.ask(ASKED)
    await second.ask(ASKED)
    await second.ask(ASKED)
    await first.read()
    assert (await second.read())[REQUESTS] == 3
    assert (await first.read())[REQUESTS] == 3


async def test_counts_outlive_the_worker_that_told_them_and_its_current_values_do_not(team: Team) -> None:
    first, second = team.workers
    await first.ask(ASKED)
    first.running = 1
    await first.read()
    assert (await second.read())["isthmus_exchanges_running"] == 1
    first.flush()
    team.links[0].close()
    await team.heard()
    found = await second.read()
    assert (found[REQUESTS], found["isthmus_exchanges_running"]) == (1, 0)


async def test_what_is_counted_is_told_by_and_by(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "EVERY", 0.01)
    first, second = team.workers
    await first.ask(ASKED)
    first.flush()
    running = asyncio.create_task(first.metrics.run())
    async with asyncio.timeout(5):
        while (found := await second.read()).get(REQUESTS) != 1:
            await asyncio.sleep(0.01)
    running.cancel()
    assert found["isthmus_event_loop_lag_seconds_count"] >= 1


async def test_a_worker_that_leaves_tells_its_last_counts(team: Team) -> None:
    first, second = team.workers
    await first.ask(ASKED)
    first.flush()
    first.metrics.leave()
    await team.heard()
    assert (await second.read())[REQUESTS] == 1


async def test_values_of_one_worker_add_up_and_what_all_know_does_not(team: Team) -> None:
    first, second = team.workers
    for worker in team.workers:
        worker.running = 2
        worker.connections = {"https://one.example.com": {"open": 4}}
    await first.read()
    found = await second.read()
    assert found["isthmus_exchanges_running"] == 4
    assert found["isthmus_connections{origin=https://one.example.com,state=open}"] == 8
    assert found["llm_active_keys_total{provider=one}"] == 1
    assert found["isthmus_state{part=limits,where=local}"] == 1


async def test_every_process_is_told_apart(team: Team) -> None:
    await team.workers[0].read()
    found = await team.workers[1].read()
    assert found["process_resident_memory_bytes{worker=1}"] > 0
    assert found["process_resident_memory_bytes{worker=2}"] > 0


async def test_sums_that_cannot_be_had_are_no_page(team: Team) -> None:
    await team.workers[0].ask(ASKED)
    team.links[0].close()
    with pytest.raises(GatewayError) as failed:
        await team.workers[0].read()
    assert failed.value.status == 503


def test_names_of_workers_that_come_and_go_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MOST", 3)
    kept = Sums()
    for number in range(10):
        kept.take_in(number, [(("llm_requests_total", "one", f"m{number}"), [1.0])], [])
    found = unpack(kept.told(None)[0])
    assert len(found) == 4
    assert found["llm_requests_total", "one", OTHER] == [7.0]


def test_what_was_packed_is_the_same_again() -> None:
    series = {("a", "b"): [1.0], ("c",): [0.0, 2.0]}
    again = unpack(pack(series))
    assert again == series
    add(again, series)
    assert series["a", "b"] == [1.0]
