"""`python -m bench.soak`: minutes at half load, with providers that fail and clients that leave, and nothing may leak.

Of all requests 5 % meet a provider that fails (500, 429, a reset, silence, an answer cut off) and 5 % a
client that leaves before its answer or in the middle of it. Every other one must be answered
rightly. At the end memory, file descriptors, connections and tasks must be as they were.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uvloop

from bench.bodies import PATHS, Dialect, Json, Size, request
from bench.caller import PATIENCE, Caller, Case, Leaving
from bench.contenders import CLIENT_CORE, HEADERS, Failed, Gateway, Manner, Scope, Server
from bench.faults import Fate, with_fate
from bench.load import request_to
from bench.measure import connections_to, cpu_seconds, memory, open_files

FAILING, LEAVING = 0.05, 0.05
"""The shares of requests whose provider fails, and whose client leaves."""
CLOSED_LOOP, LOOK_SECONDS = 48, 4.0
"""Connections, and seconds, with which the cost of a request is found before the run."""
TICK = 0.01
CATCH_UP = 0.05
"""Seconds of load that are made up for when the machine was busy elsewhere; what is beyond is left out."""
SETTLE = 15.0
"""Seconds in which everything must have come to rest after the load."""
GROWTH = 1.0
"""MiB a minute that the memory may rise after the first quarter of the run."""
STRETCHES = 7
"""Into so many the rest of the run is divided, to see whether memory rises in most of them."""
ALLOWANCE = 2.0
"""MiB that it may rise in all, however short the run."""


class Sample(NamedTuple):
    """One look at the gateway. Seconds since the start, MiB, and counts."""

    at: float
    memory: float
    files: int
    connections: int
    running: int
    pooled: int
    in_use: int
    tasks: int


@dataclass
class Account:
    """What became of the requests."""

    answered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1, help="of the order in which the kinds of request come")
    options = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    with tempfile.TemporaryDirectory(prefix="isthmus-soak-") as name:
        folder = Path(name)
        command = (sys.executable, "-m", "bench.faults")
        provider = Server(command, CLIENT_CORE, folder, stdout=subprocess.PIPE)
        try:
            port = int(provider.stdout.readline())
            gateway = Gateway({Manner.SHORT: port}, folder, Scope.USUAL)
            try:
                soak = Soak(gateway, port, random.Random(options.seed))
                return uvloop.run(soak.run(options.minutes * 60))
            finally:
                gateway.stop()
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            provider.stop()


class Soak:
    """One run against one gateway."""

    def __init__(self, gateway: Gateway, provider: int, dice: random.Random) -> None:
        self._gateway = gateway
        self._provider = provider
        self._dice = dice
        self._cases = _cases(gateway)
        self._fine = [case for case in self._cases if case.fate is Fate.FINE and case.stays]
        self._failing = [case for case in self._cases if case.fate is not Fate.FINE]
        self._leaving = [case for case in self._cases if case.fate is Fate.FINE and not case.stays]
        self._account = Account()
        self._idle: list[Caller] = []
        self._callers: set[Caller] = set()
        self._closed_loop = False
        self._began = time.monotonic()

    async def run(self, seconds: float) -> int:
        for case in self._fine:
            self._gateway.first_answer(case.request)
        rested = await self._at_rest(None)
        rate = await self._half_load()
        print(f"half load: {rate:.0f} requests/s for {seconds / 60:g} minutes")
        self._account = Account()
        samples = await self._sampled(rate, seconds)
        await self._leave()
        ended = await self._at_rest(rested)
        return self._judge(samples, rested, ended)

    async def _half_load(self) -> float:
        """Requests a second of this mix, when nothing fails, that keep half of one core busy."""
        self._closed_loop = True
        for _ in range(CLOSED_LOOP):
            await self._ask(self._dice.choice(self._fine))
        await asyncio.sleep(1)
        cpu, before = cpu_seconds(self._gateway.pid), self._account.answered.total()
        await asyncio.sleep(LOOK_SECONDS)
        cpu, done = cpu_seconds(self._gateway.pid) - cpu, self._account.answered.total() - before
        self._closed_loop = False
        await asyncio.sleep(1)
        return 0.5 * done / cpu

    async def _sampled(self, rate: float, seconds: float) -> list[Sample]:
        """Ask at `rate`, and look now and then."""
        print(_HEAD)
        every, samples = max(0.5, seconds / 150), []
        self._began = start = time.monotonic()
        look, before, owed = start, start, 0.0
        while (now := time.monotonic()) < start + seconds:
            if now >= look:
                samples.append(await self._look())
                look += every
                if len(samples) % 10 == 1:
                    print(self._line(samples[-1]), flush=True)
            owed, before = min(owed + (now - before) * rate, rate * CATCH_UP), now
            while owed >= 1:
                await self._ask(self._next_case())
                owed -= 1
            await asyncio.sleep(TICK)
        return samples

    def _next_case(self) -> Case:
        die = self._dice.random()
        if die < FAILING:
            return self._dice.choice(self._failing)
        return self._dice.choice(self._leaving if die < FAILING + LEAVING else self._fine)

    async def _ask(self, case: Case) -> None:
        while self._idle:
            caller = self._idle.pop()
            if caller.alive:
                caller.ask(case)
                return
            self._callers.discard(caller)
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(lambda: Caller(self._done), "127.0.0.1", self._gateway.port)
        self._callers.add(caller)
        caller.ask(case)

    def _done(self, caller: Caller, case: Case, wrong: str) -> None:
        self._account.answered[case.fate if case.leaving is Leaving.NEVER else f"left {case.leaving}"] += 1
        if wrong:
            self._account.wrong.append(f"{case.name}: {wrong}")
        if self._closed_loop and caller.alive:
            caller.ask(self._dice.choice(self._fine))
        elif caller.alive and case.stays:
            self._idle.append(caller)
        else:
            caller.close()
            self._callers.discard(caller)

    async def _leave(self) -> None:
        """Wait for what was asked last, then close every connection."""
        until = time.monotonic() + PATIENCE
        while len(self._idle) < len(self._callers) and time.monotonic() < until:
            await asyncio.sleep(0.1)
            self._idle = [caller for caller in self._idle if caller.alive]
        for caller in self._callers:
            caller.close()
        self._callers.clear()
        self._idle.clear()

    async def _at_rest(self, before: Sample | None) -> Sample:
        """The gateway once nothing runs in it and its tasks are as few as `before`, else as it is when time is up."""
        until = time.monotonic() + SETTLE
        while True:
            await asyncio.sleep(0.25)
            sample = await self._look()
            quiet = not sample.running and not sample.in_use and (before is None or sample.tasks <= before.tasks)
            if quiet or time.monotonic() > until:
                return sample

    async def _look(self) -> Sample:
        health = await _health(self._gateway.port)
        pools: Sequence[Json] = list(health["connections"].values())
        pid = self._gateway.pid
        return Sample(
            at=time.monotonic() - self._began,
            memory=memory(pid),
            files=open_files(pid),
            connections=connections_to(self._provider),
            running=health["running"],
            pooled=sum(pool["open"] for pool in pools),
            in_use=sum(pool["in_use"] for pool in pools),
            tasks=health["tasks"],
        )

    def _line(self, sample: Sample) -> str:
        return (
            f"{sample.at:7.0f}{sample.memory:9.1f}{sample.files:7}{sample.connections:13}{sample.running:9}"
            f"{sample.pooled:8}{sample.in_use:8}{sample.tasks:7}{self._account.answered.total():11}"
            f"{len(self._account.wrong):7}"
        )

    def _judge(self, samples: list[Sample], rested: Sample, ended: Sample) -> int:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self._account.answered.items()))
        print(self._line(ended) + "  (at rest)")
        print(f"{self._account.answered.total()} requests: {counts}")
        slope, rise = growth(samples)
        print(f"memory: {slope:+.2f} MiB a minute, {rise:+.2f} MiB in all, after the first quarter")
        held, held_before = ended.files - ended.pooled, rested.files - rested.pooled
        complaints = [
            (slope > GROWTH and rise > ALLOWANCE, f"memory grows: more than {GROWTH:g} MiB a minute"),
            (bool(self._account.wrong), f"{len(self._account.wrong)} wrong answers"),
            (ended.running != 0, f"{ended.running} exchanges still run"),
            (ended.in_use != 0, f"{ended.in_use} connections to providers are still in use"),
            (ended.connections > ended.pooled, f"{ended.connections - ended.pooled} connections that no pool knows"),
            (held > held_before, f"{held - held_before} file descriptors more than before"),
            (ended.tasks > rested.tasks, f"{ended.tasks - rested.tasks} tasks more than before"),
        ]
        found = [words for is_so, words in complaints if is_so]
        print("\n".join([*self._account.wrong[:10], *(f"FAILED: {words}" for words in found)]) or "nothing leaks")
        return 1 if found else 0


_HEAD = (
    "seconds      MiB  files  connections  running  pooled  in use  tasks   requests  wrong\n"
    "                       (to provider)"
)


def growth(samples: Sequence[Sample]) -> tuple[float, float]:
    """How memory grows after the first quarter: MiB a minute, and in all at that pace.

    The median of the slopes of several stretches, each fitted by a line: a leak shows in all of them, and
    a moment of many requests at once, after which an allocator keeps what it took, in one.
    """
    later = samples[len(samples) // 4 :]
    size = len(later) // STRETCHES
    if size < 3:
        return 0.0, 0.0
    slope = statistics.median(_slope(later[start : start + size]) for start in range(0, size * STRETCHES, size))
    return slope * 60, slope * (later[-1].at - later[0].at)


def _slope(samples: Sequence[Sample]) -> float:
    """MiB a second."""
    return statistics.linear_regression([one.at for one in samples], [one.memory for one in samples]).slope


def _cases(gateway: Gateway) -> list[Case]:
    """Every lane, streamed and not, with every fate and every way of leaving."""
    fates = [(fate, Leaving.NEVER) for fate in Fate] + [(Fate.FINE, Leaving.BEFORE), (Fate.FINE, Leaving.MIDWAY)]
    return [
        _case(gateway, client, upstream, streamed=streamed, fate=fate, leaving=leaving)
        for client in Dialect
        for upstream in Dialect
        for streamed in (False, True)
        for fate, leaving in fates
        if streamed or leaving is not Leaving.MIDWAY
    ]


def _case(
    gateway: Gateway, client: Dialect, upstream: Dialect, *, streamed: bool, fate: Fate, leaving: Leaving
) -> Case:
    """A client that leaves before its answer needs a provider that takes its time."""
    told = Fate.HANG if leaving is Leaving.BEFORE else fate
    model = gateway.place(client, upstream, Manner.SHORT).model
    body = with_fate(request(client, Size.SMALL, model, stream=streamed), told)
    whole = request_to(gateway.port, PATHS[client], body, HEADERS[client])
    kind = "stream" if streamed else "whole"
    name = f"{client} to {upstream}, {kind}, {fate}, leaves {leaving}"
    return Case(name, whole, client, streamed, fate, leaving)


async def _health(port: int) -> Json:
    """Asked over a connection of its own, which is closed before what is open is counted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    document: Json = json.loads(answer.partition(b"\r\n\r\n")[2])
    return document


if __name__ == "__main__":
    sys.exit(main())
