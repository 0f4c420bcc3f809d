"""`python -m bench.usage_rows`: what the questions of a dashboard take when there are many rows of use.

Fills an empty database through the code that the gateway writes with, a month of exchanges in the order of time, then
asks what a dashboard asks, and lets a day of rows be forgotten. Everything is left where it is: give a --folder or a
--url that is for this alone.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median

from isthmus.core.secret import Secret
from isthmus.engine.records import By, UsageQuery, Used, UsedQuery
from isthmus.store.address import Address, address_of
from isthmus.store.opened import Opened, open_at

DAY, MONTH = 86_400.0, 30 * 86_400.0
BATCH = 5000
ASKED = 7
"""Times that each question is asked; the median counts."""
CLIENTS, TEAMS, MODELS = 40, 6, 12
FAILED, CANCELLED = 0.015, 0.01


def exchanges(many: int, until: float) -> Iterator[Used]:
    """A month of them, evenly. A client has three models, and each model two keys."""
    dice = Random(1)
    for number in range(many):
        client, choice = dice.randrange(CLIENTS), dice.random()
        model = (client + dice.randrange(3)) % MODELS
        failed, cancelled = choice < FAILED, FAILED <= choice < FAILED + CANCELLED
        yield Used(
            id=f"ex_{number:018x}",
            at=until - MONTH + MONTH * number / many,
            client=f"client-{client}",
            team=f"team-{client % TEAMS}",
            provider=f"provider-{model % 4}",
            key=f"key-{dice.randrange(2)}",
            model=f"model-{model}",
            asked=f"route-{model}",
            dialect="openai_chat",
            operation="chat",
            lane="patch",
            stream=True,
            outcome="failed" if failed else "cancelled" if cancelled else "answered",
            status=502 if failed else 200,
            error="upstream_fault" if failed else "",
            attempts=1,
            fresh_input=number % 4000,
            cache_read=number % 1000,
            cache_write=0,
            output=number % 700,
            reasoning=0,
            microdollars=number % 20_000,
            ms=float(number % 9000),
            first_ms=float(number % 900),
        )


async def fill(opened: Opened, many: int, until: float) -> None:
    rows, began = exchanges(many, until), time.perf_counter()
    done = 0
    while batch := list(islice(rows, BATCH)):
        await opened.write(batch, False)
        done += len(batch)
        if done % (BATCH * 100) == 0:
            print(f"{done:,} rows, {done / (time.perf_counter() - began):,.0f} a second", file=sys.stderr, flush=True)


def questions(opened: Opened, until: float) -> dict[str, Callable[[], Awaitable[Sequence[object]]]]:
    month = until - MONTH

    def sums(*by: By, only: dict[By, tuple[str, ...]] | None = None, since: float = month) -> UsageQuery:
        return UsageQuery(since=since, until=until, by=by, only=only or {})

    return {
        "sums by hour": lambda: opened.usage(sums(By.HOUR), 0.0),
        "sums by day and model": lambda: opened.usage(sums(By.DAY, By.MODEL), 0.0),
        "sums by month": lambda: opened.usage(sums(By.MONTH), 0.0),
        "sums by model": lambda: opened.usage(sums(By.MODEL), 0.0),
        "sums by client": lambda: opened.usage(sums(By.CLIENT), 0.0),
        "one client by day": lambda: opened.usage(sums(By.DAY, only={By.CLIENT: ("client-7",)}), 0.0),
        "the last 24 hours, to the second": lambda: opened.usage(sums(By.MODEL, since=until - DAY - 1234.5), 0.0),
        "the latest 100 rows": lambda: opened.used(UsedQuery(), 0.0),
        "the latest 100 that failed": lambda: opened.used(UsedQuery(failed=True), 0.0),
        "the latest 100 of one client": lambda: opened.used(UsedQuery(only={By.CLIENT: ("client-7",)}), 0.0),
        "the latest 100 of a team": lambda: opened.used(UsedQuery(only={By.TEAM: ("team-3",)}), 0.0),
        "those of a team that has none": lambda: opened.used(UsedQuery(only={By.TEAM: ("nobody",)}), 0.0),
        "what is spent now": lambda: opened.spent(until),
    }


async def measured(name: str, ask: Callable[[], Awaitable[Sequence[object]]]) -> str:
    taken = []
    for _ in range(ASKED):
        began = time.perf_counter()
        answers = len(await ask())
        taken.append(time.perf_counter() - began)
    return f"| {name} | {answers} | {max(taken) * 1e3:.0f} ms | {median(taken) * 1e3:.0f} ms |"


async def forget_a_day(opened: Opened, until: float) -> str:
    before, began, steps = resident(), time.perf_counter(), 1
    while await opened.forget_rows(until - MONTH + DAY):
        steps += 1
    seconds = time.perf_counter() - began
    return (
        f"A day forgotten in {steps} steps and {seconds:.1f} s; memory {before:.0f} MiB before, {resident():.0f} after."
    )


def resident() -> float:
    """MiB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


async def run(address: Address, many: int, *, forget: bool) -> None:
    until = float(int(time.time()) // 3600 * 3600 + 1800)
    opened = await open_at(address)
    try:
        if not await opened.used(UsedQuery(limit=1), 0.0):
            await fill(opened, many, until)
        (latest,) = await opened.used(UsedQuery(limit=1), 0.0)
        print(f"{address.kind}\n\n| question | answers | at most | median |\n| --- | --- | --- | --- |")
        for name, ask in questions(opened, latest.at + 1).items():
            print(await measured(name, ask), flush=True)
        if forget:
            print(await forget_a_day(opened, latest.at + 1))
    finally:
        await opened.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.usage_rows", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url", help="postgresql://USER@HOST/DATABASE, empty; without it SQLite in the folder")
    parser.add_argument("--folder", type=Path, help="where isthmus.db is made; without it a folder that is deleted")
    parser.add_argument("--forget", action="store_true", help="let a day of rows be forgotten at the end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        address = address_of(Secret(options.url) if options.url else None, options.folder or Path(folder))
        asyncio.run(run(address, options.rows, forget=options.forget))


if __name__ == "__main__":
    main()
