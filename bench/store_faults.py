"""`python -m bench.store_faults`: what is lost, and what clients feel, when a gateway is killed or its disk is full.

The database is a file of SQLite, and requests come at a steady rate. What clients were answered is held against rows
and sums; the file is checked by SQLite itself.
"""

import argparse
import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.bodies import PATHS, Dialect, Size, request
from bench.load import Load, Tally, Target, request_to
from bench.store_gone import Gateway, gateway, load, wait_until

DISK = "8m"
"""Size of the disk that gets full."""


class Kept(NamedTuple):
    """What a file holds. `check` is SQLite's own word."""

    rows: int
    summed: int
    spent: tuple[int, int]
    check: str

    @property
    def whole(self) -> bool:
        """Are rows and sums one, and the file as it should be?"""
        return self.check == "ok" and self.rows == self.summed and self.spent[0] == self.spent[1]


def kept(file: Path) -> Kept:
    with closing(sqlite3.connect(file)) as database:
        rows, cost = database.execute("SELECT count(*), coalesce(sum(microdollars), 0) FROM used").fetchone()
        summed, summed_cost = database.execute(
            "SELECT coalesce(sum(requests), 0), coalesce(sum(microdollars), 0) FROM used_hours"
        ).fetchone()
        (check,) = database.execute("PRAGMA integrity_check").fetchone()
    return Kept(rows, summed, (cost, summed_cost), check)


async def until_killed(one: Gateway, rate: float, seconds: float) -> Tally:
    """Load on a gateway that is killed when `seconds` are over. `requests` are those that were answered."""
    body = request(Dialect.OPENAI, Size.SMALL, "bench", stream=False)
    target = Target(one.port, request_to(one.port, PATHS[Dialect.OPENAI], body, ()))
    asyncio.get_running_loop().call_later(seconds, one.kill)
    return await Load(target, None).planned(rate, 0.0, seconds + 0.5)


def killed(folder: Path, rate: float, rounds: int) -> bool:
    """Kill it again and again, on one and the same file; is it always whole, and little lost?"""
    file, before, well = folder / "isthmus.db", 0, True
    print("| killed after | answered | rows of these | lost | that is of load | the file | rows and sums |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for number in range(rounds):
        seconds = 3 + 0.13 * number
        with gateway(folder, f"sqlite:///{file}") as one:
            tally = asyncio.run(until_killed(one, rate, seconds))
        found = kept(file)
        new, before = found.rows - before, found.rows
        lost = max(tally.requests - new, 0)
        agree = "agree" if found.whole else "differ"
        numbers = f"{tally.requests} | {new} | {lost} | {lost / rate * 1e3:.0f} ms"
        print(f"| {seconds:.2f} s | {numbers} | {found.check} | {agree} |", flush=True)
        well = well and found.whole and lost <= rate
    return well


@contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(file: Path) -> None:
    """Until there is no room."""
    with file.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return


def full(folder: Path, rate: float, seconds: float) -> bool:
    """Fill the disk under load, and make room again; was every exchange kept once?"""
    with small_disk() as disk, gateway(folder, f"sqlite:///{disk}/isthmus.db") as one:
        print("| the disk | requests | failed | median | p99 | rows that wait | memory |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        print("| has room |", load(one, rate, 10), flush=True)
        fill(disk / "filler")
        print("| is full |", load(one, rate, seconds), flush=True)
        said = one.store
        (disk / "filler").unlink()
        back = wait_until(lambda: one.numbers("isthmus_store_rows_waiting ") == [0])
        print("| has room again |", load(one, rate, 10), flush=True)
        time.sleep(1)
        exchanges, lost = one.numbers("isthmus_exchanges_total{", "isthmus_store_rows_lost_total ")
        found, healed = kept(disk / "isthmus.db"), one.store
    print(
        f"\nWhile it was full, /health said: {said}. All rows were written {back:.1f} s after there was room, and then"
    )
    print(
        f"/health said: {healed}. {exchanges} exchanges, {lost} rows lost; {found.rows} rows in the file, and sums of"
    )
    print(f"{found.summed}; the file is {found.check}.")
    return found.whole and exchanges - lost == found.rows and healed == "sqlite" != said


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.store_faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        well = killed(Path(first), options.rate, 3 if options.quick else 20)
        print()
        well = full(Path(second), options.rate, 10 if options.quick else 60) and well
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
