"""Workers hold budgets together, and what the store remembers of them is known to all."""

from contextlib import AsyncExitStack
from pathlib import Path

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal, Remembered
from isthmus.state.memory import BoundedMemory
from isthmus.workers.hub import Hub
from isthmus.workers.link import HubLimiter, open_link

BUDGET = Limit("client:a", Measure.MICRODOLLARS, 1000, period=Period.MONTH)


class NoModel:
    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        raise GatewayError(Kind.UNREACHABLE, "none is installed")

    async def lost(self, port: int, within: float = 1.0) -> bool:
        return True


async def test_what_one_worker_is_told_was_spent_no_other_can_spend(tmp_path: Path) -> None:
    clock = FakeClock()
    hub = Hub(BoundedMemory(clock.now), NoModel(), clock)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(hub.open(tmp_path / "hub"))
        links = [await opened.enter_async_context(open_link(tmp_path / "hub", lambda: None)) for _ in range(2)]
        first, second = (HubLimiter(link, clock) for link in links)
        for limiter in (first, second):
            await limiter.remember([Remembered(BUDGET, 700, 700, clock.time())])
        await links[0].ask("get", "nothing")
        refused = await second.claim([Claim(BUDGET, 301)])
        assert isinstance(refused, Refusal)
        assert refused.limit == BUDGET
        granted = await second.claim([Claim(BUDGET, 300)])
        assert isinstance(granted, Grant)
        second.settle(granted, {Measure.MICRODOLLARS: 100})
        await links[1].ask("get", "nothing")
        assert isinstance(await first.claim([Claim(BUDGET, 201)]), Refusal)
        assert isinstance(await first.claim([Claim(BUDGET, 200)]), Grant)
