"""`python -m bench.chaos`: everything around four gateways fails for a while, and no request may be lost by it.

At any moment one provider at least can answer. A client's connection breaks only where the instance that answered it
was killed: that is counted by itself, and nothing else may go wrong. No key may be asked more often in a minute than it
is allowed, but for what instances granted alone, while Redis was late or frozen.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from bench.chaos import stage
from bench.chaos.client import Verdict, ask
from bench.chaos.limits import WITHIN, Alone, Held, held, worst
from bench.chaos.provider import Mood, Provider
from bench.chaos.stage import Process

INSTANCES, RATE = 4, 12.0
"""Gateways, and requests a second over all clients."""
EVERY = 6.0
"""Seconds between two things that go wrong."""
AWAY = 2
"""Instances that are ended and not back yet, at most: to begin takes its time on a busy machine."""
AFTERMATH = 3.0
"""Seconds after an instance was killed in which a connection that breaks is taken to have been its."""


class Chaos:
    """One run. `killed` are the times when an instance was killed, `lost` what no kill explains."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = Random(seed)
        self.folder = folder
        self.providers = [Provider(name, seed + number, 0.03) for number, name in enumerate(("a", "b", "c", "d"))]
        self.killed: list[float] = []
        self.deeds: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.lost: list[str] = []
        self.times: list[float] = []
        self.alone = Alone()
        self.room = asyncio.Semaphore(AWAY)
        self.mending: set[asyncio.Task[None]] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self, seconds: float) -> None:
        """All of it: begin, fail and heal, end."""
        for one in self.providers:
            await one.open()
        self.store = stage.redis(self.folder)
        self.instances = [
            stage.instance(number, self.folder, self.providers, self.store.port) for number in range(1, INSTANCES + 1)
        ]
        self.door = stage.balancer(self.folder, self.instances)
        try:
            await self.store.begin()
            await asyncio.gather(*(one.begin() for one in self.instances))
            await self.door.begin()
            beside = asyncio.gather(self._trouble(), self.alone.watch(self.instances))
            await self._clients(seconds)
            beside.cancel()
            with suppress(asyncio.CancelledError):
                await beside
            await asyncio.gather(*self.tasks, *self.mending)
            await asyncio.gather(*(self.alone.look(one) for one in self.instances))
        finally:
            self.store.send(signal.SIGCONT)
            await asyncio.gather(*(one.end() for one in (self.door, *self.instances, self.store)))
            for provider in self.providers:
                provider.close()

    async def _clients(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            dialect, stream = self.dice.choice(("anthropic", "openai")), self.dice.random() < 0.8
            task = asyncio.create_task(self._client(dialect, stream=stream))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
            await asyncio.sleep(self.dice.expovariate(RATE))

    async def _client(self, dialect: str, *, stream: bool) -> None:
        began = time.monotonic()
        verdict, words = await ask(self.door.port, dialect, stream=stream)
        now = time.monotonic()
        if verdict is Verdict.CUT and any(began - AFTERMATH < killed <= now for killed in self.killed):
            self.verdicts["cut by a kill"] += 1
            return
        self.verdicts[verdict] += 1
        if verdict is Verdict.FINE:
            self.times.append(now - began)
        else:
            self.lost.append(f"{verdict} ({dialect}, {'stream' if stream else 'whole'}): {words}")

    async def _trouble(self) -> None:
        """One thing after the other goes wrong, and is mended while the next does."""
        often = (self._kill, self._replace, self._reload, self._moods, self._moods)
        deeds: Sequence[Callable[[], Awaitable[None]]] = (*often, *often, self._freeze)
        while True:
            deed = self.dice.choice(deeds)
            self.deeds[deed.__name__.strip("_")] += 1
            self.mending.add(asyncio.ensure_future(deed()))
            await asyncio.sleep(EVERY)
            for task in [task for task in self.mending if task.done()]:
                self.mending.remove(task)
                task.result()

    async def _kill(self) -> None:
        await self._again(signal.SIGKILL)

    async def _replace(self) -> None:
        await self._again(signal.SIGTERM)

    async def _again(self, number: signal.Signals) -> None:
        async with self.room:
            one = self._any_instance()
            await self.alone.look(one)
            if number is signal.SIGKILL:
                self.killed.append(time.monotonic())
            await one.end(number)
            self.alone.ended(one, killed=number is signal.SIGKILL)
            await asyncio.sleep(1.0)
            await one.begin()

    def _any_instance(self) -> Process:
        """They take turns, so that one is never ended before it is back."""
        self.instances.append(self.instances.pop(0))
        return self.instances[-1]

    async def _freeze(self) -> None:
        """Nobody can know of the others' requests for a while."""
        self.store.send(signal.SIGSTOP)
        await asyncio.sleep(EVERY * 0.8)
        self.store.send(signal.SIGCONT)

    async def _reload(self) -> None:
        for one in self.instances:
            stage.touch(one, self.folder, self.dice.randrange(10**9))

    async def _moods(self) -> None:
        """One or two of the first three providers fail in some way; the last one is always well."""
        for provider in self.providers[:-1]:
            provider.mood = Mood.WELL
        for provider in self.dice.sample(self.providers[:-1], self.dice.choice((1, 2))):
            provider.mood = self.dice.choice((Mood.OVERLOADED, Mood.LIMITED, Mood.GONE, Mood.HANGING))

    def limits(self) -> Held:
        """How the limits of all keys that have any were held."""
        asked = [times for one in self.providers[:-1] for times in one.asked.values()]
        return worst(held(times, self.alone, stage.LIMIT) for times in asked)

    def report(self) -> str:
        """What happened, and what clients saw of it."""
        times = sorted(self.times) or [0.0]
        asked = sum(one.requests for one in self.providers)
        vain, cut = (sum(getattr(one, name) for one in self.providers) for name in ("failed", "cut"))
        half, slow = times[len(times) // 2], times[int(len(times) * 0.99)]
        lines = [
            f"went wrong: {', '.join(f'{name} {count}' for name, count in sorted(self.deeds.items()))}",
            f"clients: {', '.join(f'{name} {count}' for name, count in sorted(self.verdicts.items()))}",
            f"whole answers after {half:.2f} s, 99 of 100 within {slow:.2f} s",
            f"providers were asked {asked} times; {vain} times in vain, and {cut} streams were cut",
            self._told(self.limits()),
            *(f"LOST {words}" for words in self.lost[:20]),
        ]
        return "\n".join(lines)

    def _told(self, limits: Held) -> str:
        words = f"most requests under one key in any {WITHIN:.0f} s: {limits.calm}; allowed {stage.LIMIT}"
        alone = f"{limits.most} with those that were granted without Redis, {len(self.alone.times)} in all"
        return f"{words}; {alone}" + (f"; EXCEEDED by {limits.excess}" if limits.excess > 0 else "")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    options.add_argument("--minutes", type=float, default=15.0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", type=Path, help="a folder for what all processes said")
    said = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="isthmus-chaos-") as folder:
        chaos = Chaos(said.keep or Path(folder), said.seed)
        asyncio.run(chaos.run(said.minutes * 60))
    print(chaos.report())
    return 1 if chaos.lost or chaos.limits().excess > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
