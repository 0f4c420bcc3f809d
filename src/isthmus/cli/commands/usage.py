"""`isthmus usage`: what was used and what it cost, drawn in the terminal, as the gateway that runs knows it."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import count, fail, say
from isthmus.cli.running import ask, good, running
from isthmus.core.value import Value
from isthmus.wire import json

BAR = 24
"""Characters of the longest bar."""
_STEPS = " ▏▎▍▌▋▊▉█"
_SPARKS = "▁▂▃▄▅▆▇█"
_TIMES = ("hour", "day", "month")


class Sums(Value, frozen=True, kw_only=True):
    """One line, as GET /admin/usage tells it."""

    requests: int
    failed_share: float
    input_tokens: int
    cached_tokens: int
    written_tokens: int
    output_tokens: int
    reasoning_tokens: int
    dollars: str
    unpriced: int
    mean_ms: float | None
    mean_first_ms: float | None
    group: Mapping[str, str] = MappingProxyType({})
    at: str | None = None

    @property
    def name(self) -> str:
        return "  ".join([*([self.at] if self.at else []), *(name or "-" for name in self.group.values())])


class Usage(Value, frozen=True, kw_only=True):
    since: str
    until: str
    by: tuple[str, ...]
    groups: tuple[Sums, ...]
    total: Sums
    more: bool


_usage = json.decoder(Usage)


@click.command("usage")
@click.option("--since", default="7d", show_default=True, help="A date, a moment, or how long ago: 90m, 24h, 7d, 4w.")
@click.option("--until", help="A date or a moment. Without it: now.")
@click.option(
    "--by",
    default="model",
    show_default=True,
    help="client, team, provider, key, model, operation, hour, day or month; several with commas.",
)
@click.option("--client", help="Only this client's.")
@click.option("--model", help="Only this model's.")
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 10_000), help="Lines at most.")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
@click.option("--csv", "form", flag_value="csv", help="Write CSV.")
@click.option("--url", help="The running gateway. Without it: the configuration's first listener.")
@config_option
def command(form: str | None, url: str | None, config: Path | None, **asked: object) -> None:
    """Draw what was used, and what it cost."""
    gateway = running(load_or_fail(config), url)
    fields = {name: str(value) for name, value in asked.items() if value is not None}
    target = f"/admin/usage?{urlencode({**fields, 'format': form or 'json'})}"
    answer = ask(gateway, "GET", target)
    if answer is None:
        fail(f"no gateway answers at {gateway.url}; start one with: isthmus serve")
    body = good(answer)
    if form is not None:
        say(body.decode().replace("\r\n", "\n").rstrip("\n"))
    else:
        draw(_usage(body), Console())


def draw(found: Usage, console: Console) -> None:
    """A line a group, with a bar for its share of what was spent, or of the tokens where nothing is priced."""
    console.print(f"{found.since} to {found.until}")
    if not found.total.requests:
        console.print("nothing was used")
        return
    weights = [weight(one) for one in found.groups]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in (", ".join(found.by) or "all", "requests", "failed", "tokens in", "out", "mean ms", "first", "$"):
        table.add_column(column, justify="left" if column == (", ".join(found.by) or "all") else "right", no_wrap=True)
    table.add_column("", overflow="crop")
    for one, share in zip(found.groups, shares(weights), strict=True):
        table.add_row(*_cells(one), Text(bar(share), "cyan"))
    table.add_row(*_cells(found.total, "total"), "", style="bold")
    console.print(table)
    if set(found.by) & set(_TIMES) and len(found.by) == 1:
        console.print(Text(spark(weights), "cyan"))
    if found.more:
        console.print("there are more; --limit shows them")
    if found.total.unpriced:
        console.print(f"{count(found.total.unpriced, 'request')} of models whose price is not known")


def weight(one: Sums) -> float:
    """What a bar is as long as."""
    return float(one.dollars) or one.input_tokens + one.output_tokens


def shares(weights: list[float]) -> list[float]:
    """Parts of the greatest."""
    most = max(weights, default=0.0)
    return [one / most if most else 0.0 for one in weights]


def bar(share: float) -> str:
    """A bar of eighths of characters."""
    whole, rest = divmod(round(share * BAR * 8), 8)
    return "█" * whole + _STEPS[rest].strip()


def spark(weights: list[float]) -> str:
    """One character for each, as high as its part of the greatest."""
    return "".join(_SPARKS[round(share * (len(_SPARKS) - 1))] for share in shares(weights))


def _cells(one: Sums, name: str = "") -> tuple[str, ...]:
    taken = one.input_tokens + one.cached_tokens + one.written_tokens
    said = one.output_tokens + one.reasoning_tokens
    times = ("" if ms is None else f"{ms:.0f}" for ms in (one.mean_ms, one.mean_first_ms))
    return (name or one.name, f"{one.requests}", f"{one.failed_share:.1%}", f"{taken}", f"{said}", *times, one.dollars)
