"""`isthmus logs`: the latest lines of the log of the gateway that runs, and those that follow."""

from pathlib import Path
from urllib.parse import urlencode

import click
from msgspec import Raw

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.following import follow
from isthmus.cli.output import fail, say
from isthmus.cli.running import ask, good, running
from isthmus.core.value import Value
from isthmus.engine.logs import LEVELS
from isthmus.wire import json


class Line(Value, frozen=True):
    """One line, as GET /admin/logs tells it."""

    text: str
    fields: Raw


class Lines(Value, frozen=True):
    lines: tuple[Line, ...]
    last: int


_lines = json.decoder(Lines)


@click.command("logs")
@click.option("-n", "--lines", "limit", default=20, show_default=True, type=click.IntRange(0, 1000), help="How many.")
@click.option("-f", "--follow", "follows", is_flag=True, help="Go on with what is written, until interrupted.")
@click.option("--level", type=click.Choice(list(LEVELS)), help="Only lines that matter as much.")
@click.option("--client", help="Only requests of this client.")
@click.option("--provider", help="Only requests that this provider was asked last.")
@click.option("--model", help="Only requests for this model, by the name asked for or the provider's own.")
@click.option("--json", "as_json", is_flag=True, help="Write each line as JSON.")
@click.option("--url", help="The running gateway. Without it: the configuration's first listener.")
@config_option
def command(  # noqa: PLR0913  one argument for each option
    *,
    limit: int,
    follows: bool,
    level: str | None,
    client: str | None,
    provider: str | None,
    model: str | None,
    as_json: bool,
    url: str | None,
    config: Path | None,
) -> None:
    """Tell the latest lines of the running gateway's log. It keeps them in memory; files hold the older ones."""
    gateway = running(load_or_fail(config), url)
    named = {"level": level, "client": client, "provider": provider, "model": model}
    only = {name: value for name, value in named.items() if value is not None}
    answer = ask(gateway, "GET", f"/admin/logs?{urlencode({**only, 'limit': limit or 1})}")
    if answer is None:
        fail(f"no gateway answers at {gateway.url}; start one with: isthmus serve")
    told = _lines(good(answer))
    for line in told.lines if limit else ():
        say(bytes(line.fields).decode() if as_json else line.text)
    if follows:
        written = "json" if as_json else "text"
        query = urlencode({**only, "after": told.last, "format": written})
        follow(gateway, f"/admin/logs/stream?{query}", say)
