"""The table for people, the document for programs, and the comparison with the budget."""

import json
import os
import platform
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import ROWS, Seen, errors, value
from bench.scenarios import Column, Way

WITH_STORE = "gateway, store"
"""The server as it is unless its store is switched off."""
BUDGET = Path(__file__).with_name("budget.toml")


@dataclass
class Footing:
    """What one server takes without load, and with streams held open. MiB and seconds."""

    start: float
    idle: float
    streams: float | None = None


@dataclass
class Results:
    """Everything one run has found."""

    seen: Seen
    columns: Sequence[Column]
    footing: Mapping[str, Footing] = field(default_factory=dict)
    rounds: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """One line of the budget."""

    name: str
    limit: float
    found: float | None

    @property
    def met(self) -> bool:
        return self.found is not None and self.found <= self.limit

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.name:22} not measured (budget {self.limit:g})"
        how = "met" if self.met else f"NOT MET, by {(self.found / self.limit - 1) * 100:.0f} %"
        return f"{self.name:22} {self.found:8.2f}  budget {self.limit:<6g} {how}"


def table(results: Results) -> str:
    """One line for each figure, one column for each way."""
    wide = max(len(row.name) for row in ROWS) + 1
    widths = [max(9, len(column.name)) for column in results.columns]
    head = " ".join(column.name.rjust(width) for column, width in zip(results.columns, widths, strict=True))
    lines = [" " * wide + head]
    for row in ROWS:
        values = [value(row, column, results.seen) for column in results.columns]
        if any(found is not None for found in values):
            cells = (_cell(found, row.digits).rjust(width) for found, width in zip(values, widths, strict=True))
            lines.append(row.name.ljust(wide) + " ".join(cells))
    lines += [_footing(name, footing) for name, footing in results.footing.items()]
    lines += [f"ERRORS {where}: {count}" for where, count in errors(results.seen).items()]
    return "\n".join(lines)


def verdicts(results: Results) -> list[Verdict]:
    """The gateway's figures against the budget; of several lanes the worst counts."""
    budget: Mapping[str, float] = tomllib.loads(BUDGET.read_text())["gateway"]
    found = _compared(results)
    return [Verdict(name, limit, found.get(name)) for name, limit in budget.items()]


def document(results: Results) -> str:
    """JSON: the machine, every figure by its name and column, and the verdicts."""
    figures = {row.name: {column.name: value(row, column, results.seen) for column in results.columns} for row in ROWS}
    return json.dumps(
        {
            "machine": {"cores": os.cpu_count(), "kernel": platform.release(), "python": platform.python_version()},
            "rounds": results.rounds,
            "seconds": round(results.seconds, 1),
            "figures": figures,
            "servers": {name: vars(footing) for name, footing in results.footing.items()},
            "errors": errors(results.seen),
            "budget": {
                verdict.name: {"limit": verdict.limit, "found": verdict.found, "met": verdict.met}
                for verdict in verdicts(results)
            },
        },
        indent=1,
    )


def _compared(results: Results) -> Mapping[str, float | None]:
    same = [column for column in results.columns if column.way is Way.GATEWAY and not column.translates]
    other = [column for column in results.columns if column.way is Way.GATEWAY and column.translates]

    def worst(row: str, columns: Sequence[Column]) -> float | None:
        line = next(one for one in ROWS if one.name == row)
        found = [number for column in columns if (number := value(line, column, results.seen)) is not None]
        return max(found) if found else None

    def beside(row: str, name: str, plain: str) -> float | None:
        """A column's figure as a multiple of another's."""
        line = next(one for one in ROWS if one.name == row)
        columns = {column.name: column for column in results.columns}
        found = [value(line, columns[one], results.seen) if one in columns else None for one in (name, plain)]
        return found[0] / found[1] if found[0] and found[1] else None

    gateway, stored = results.footing.get(Way.GATEWAY), results.footing.get(WITH_STORE)
    return {
        "team_request": beside("1.5 KB: CPU, us a request", "openai, team", "openai"),
        "passthrough_request": worst("1.5 KB: CPU, times nginx", same),
        "translate_request": worst("1.5 KB: CPU, times nginx", other),
        "passthrough_event": worst("paced streams: CPU, times nginx", same),
        "translate_event": worst("paced streams: CPU, times nginx", other),
        "passthrough_1mb": worst("1 MB: CPU, times nginx", same),
        "added_p50": worst("200 requests/s: added p50, ms", [*same, *other]),
        "first_event_added": worst("first event: added p50, ms", [*same, *other]),
        "memory_idle": gateway.idle if gateway is not None else None,
        "memory_500_streams": gateway.streams if gateway is not None else None,
        "memory_store": stored.idle - gateway.idle if gateway is not None and stored is not None else None,
        "start": stored.start if stored is not None else None,
    }


def _footing(name: str, footing: Footing) -> str:
    streams = f", {footing.streams:.0f} MiB with 500 streams" if footing.streams is not None else ""
    return f"{name}: {footing.start:.2f} s from its start to its first answer, {footing.idle:.0f} MiB idle{streams}"


def _cell(number: float | None, digits: int) -> str:
    return "-" if number is None else f"{number:,.{digits}f}"
