"""Sleep by a clock that a test moves."""

import asyncio
from collections.abc import Callable

from fakes.clock import FakeClock


class Sleeper:
    """Whoever sleeps wakes when `move` has brought the clock there, the earliest first."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._sleeping: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        entry = (self._clock.now() + seconds, woken)
        self._sleeping.append(entry)
        try:
            await woken.wait()
        finally:
            self._sleeping.remove(entry)

    @property
    def next(self) -> float | None:
        """Seconds until the next one wakes, None where nobody sleeps."""
        return min((at for at, woken in self._sleeping if not woken.is_set()), default=None)

    async def heard(self, done: Callable[[], bool]) -> None:
        """Until this is so, and nobody runs any more who is not asleep: what is asked over a wire takes its time."""
        while not done():
            await asyncio.sleep(0.001)
        while len(asyncio.all_tasks()) > 1 + len(self._sleeping):
            await asyncio.sleep(0.001)

    async def asleep(self) -> None:
        """Until somebody sleeps."""
        while self.next is None:
            await asyncio.sleep(0.001)

    async def move(self, seconds: float) -> None:
        """Time goes on; whoever wakes on the way is let run until they wait for something."""
        until = self._clock.now() + seconds
        while (at := self.next) is not None and at <= until:
            self._clock.move(max(0.0, at - self._clock.now()))
            for due, woken in self._sleeping:
                if due <= at:
                    woken.set()
            await settle()
        self._clock.move(until - self._clock.now())
        await settle()


async def settle() -> None:
    """Whatever is ready to run has run."""
    for _ in range(5):
        await asyncio.sleep(0)
