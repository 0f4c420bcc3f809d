"""`python -m bench.simulation`: every strategy through the same bad hour; a table, and with --write the guide's too."""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.simulation.chart import chart, table
from bench.simulation.drive import Result, Run, ways
from isthmus.routing.plan import Strategy

GUIDE = Path("docs/guide/routing.md")
CHART = Path("docs/guide/routing-simulation.svg")
BEGIN, END = "<!-- simulation -->\n", "<!-- end of simulation -->\n"


def main() -> None:
    options = _options()
    with ProcessPoolExecutor(options.processes) as pool:
        jobs = [pool.submit(_play, *way, options.seed, options.minutes * 60.0) for way in ways()]
        results = [job.result() for job in jobs]
    print(table(results))
    if options.write:
        _write(results)


def _play(name: str, strategy: Strategy | None, tries: int, seed: int, seconds: float) -> Result:
    return Run(name, strategy, tries, seed, seconds).play()


def _write(results: Sequence[Result]) -> None:
    CHART.write_text(chart(results))
    guide = GUIDE.read_text()
    before, _, rest = guide.partition(BEGIN)
    _, _, after = rest.partition(END)
    GUIDE.write_text(f"{before}{BEGIN}{table(results)}{END}{after}")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m bench.simulation", description=__doc__)
    options.add_argument("--minutes", type=float, default=20.0, help="simulated time (20)")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--write", action="store_true", help=f"write the table into {GUIDE}, and the chart beside it")
    return options.parse_args()


if __name__ == "__main__":
    main()
