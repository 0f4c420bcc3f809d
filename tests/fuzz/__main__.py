"""Fuzz the targets: `make fuzz`, or `python -m fuzz SECONDS [NAME...]` for those whose names begin so.

Each begins with its dialect's files among the specimens and with what is in corpus/NAME: inputs that once found
something. What is found anew is told, and kept in the folder of build/fuzz that is named; put it, made small, into
the corpus with the repair.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

from fuzz.targets import Target, targets

CORPUS = Path(__file__).parent / "corpus"
WORK = Path("build/fuzz")
LONGEST = 100_000
"""Bytes of an input. Most faults show in small ones; what grows too fast shows in those of this size."""


class Outcome(NamedTuple):
    """`runs` is how many inputs were tried."""

    name: str
    sound: bool
    runs: str
    log: Path


def main(arguments: Sequence[str]) -> int:
    seconds, *prefixes = arguments
    chosen = {name: one for name, one in targets().items() if not prefixes or name.startswith(tuple(prefixes))}
    outcomes = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for outcome in pool.map(lambda one: fuzz(*one, seconds=int(seconds)), chosen.items()):
            print(
                f"{outcome.name:32}{outcome.runs:>10}  {'sound' if outcome.sound else f'FOUND {outcome.log}'}",
                flush=True,
            )
            outcomes.append(outcome)
    broken = [outcome for outcome in outcomes if not outcome.sound]
    print(f"{len(outcomes)} targets, {len(broken)} of them broken")
    return 1 if broken else 0


def fuzz(name: str, target: Target, *, seconds: int) -> Outcome:
    """Start from the seeds, and go on for that long."""
    folder = WORK / name
    seeds, grown = folder / "seeds", folder / "grown"
    for each in (seeds, grown):
        each.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (seeds / sha1(seed).hexdigest()).write_bytes(seed)
    log = folder / "log"
    told = [
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=1024",
        "-reload=0",
        "-verbosity=1",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/found-",
        str(grown),
        str(seeds),
        *([str(CORPUS / name)] if (CORPUS / name).exists() else ()),
    ]
    with log.open("wb") as out:
        ended = subprocess.run([sys.executable, "-m", "fuzz.one", name, *told], stdout=out, stderr=out, check=False)
    return Outcome(name, ended.returncode == 0, _runs_in(log), log)


def _runs_in(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    told = [line.rpartition(" ")[2] for line in lines if line.startswith("stat::number_of_executed_units")]
    return told[-1] if told else "?"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
