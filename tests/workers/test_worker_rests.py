"""What a provider asked of one worker is known to the others."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from isthmus.core.errors import Kind, Rest
from isthmus.engine.ports import Clock
from isthmus.routing.health import Health, Place, State
from isthmus.state.memory import BoundedMemory
from isthmus.state.shared_rests import SharedRests
from isthmus.workers.hub import Hub
from isthmus.workers.link import HubPost, Link, open_link

HERE = Place("openai", "first", "gpt-5")


class NoModel:
    """Implements the hub's Model. No worker asks for it."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        return 0

    async def lost(self, port: int, within: float = 1.0) -> bool:
        return bool(port and within)


class Worker:
    def __init__(self, link: Link, clock: Clock) -> None:
        self.link = link
        self.clock = clock
        self.health = Health()
        self.rests = SharedRests(HubPost(link), self.health, clock, lambda: {HERE.account: "same"})

    @property
    def state(self) -> State:
        return self.health.state(HERE, self.clock.now())


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[list[Worker]]:
    clock = FakeClock()
    hub = Hub(BoundedMemory(clock.now), NoModel(), clock)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(hub.open(tmp_path / "hub"))
        links = [await opened.enter_async_context(open_link(tmp_path / "hub", list)) for _ in range(3)]
        yield [Worker(link, clock) for link in links]


async def settle(workers: list[Worker]) -> None:
    """Everybody has told, and heard what was told."""
    for _ in range(2):
        for one in workers:
            await one.rests.round()
            await one.link.ask("get", "nothing", budget=10)
        for one in workers:
            await one.link.ask("get", "nothing", budget=10)


async def test_a_rest_begins_and_ends_for_all_workers(workers: list[Worker]) -> None:
    first, *others = workers
    first.health.failed(HERE, Kind.QUOTA_SPENT, Rest.CREDENTIAL, first.clock.now(), hint=3600.0)
    await settle(workers)
    assert [one.state for one in others] == [State.RESTING, State.RESTING]
    others[0].health.clear()
    await settle(workers)
    assert [one.state for one in workers] == [State.READY] * 3
