"""`isthmus rests`: who rests after a failure, as the gateway that runs knows it; and how to end a rest."""

from pathlib import Path
from urllib.parse import quote

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import count, fail, say, say_json, say_table
from isthmus.cli.running import Running, ask, good, running
from isthmus.core.value import Value
from isthmus.wire import json

COLUMNS = ("PLACE", "REASON", "SINCE", "UNTIL", "LEFT", "FAILURES", "TOLD", "NEXT TRIAL", "CAUSE")
_SHOWN = 80
"""Characters of a cause in the table."""


class Rest(Value, frozen=True):
    """One rest, as GET /admin/rests tells it. Times are text; `seconds` is how long it lasts from now on."""

    provider: str
    key: str
    model: str
    kind: str
    cause: str
    since: str
    until: str
    seconds: float
    next_trial: str
    failures: int
    told_by_provider: bool


class Rests(Value, frozen=True):
    rests: tuple[Rest, ...]


class Ended(Value, frozen=True):
    ended: int


_rests, _ended = json.decoder(Rests), json.decoder(Ended)
_url_option = click.option("--url", help="The running gateway. Without it: the configuration's first listener.")


@click.group("rests", invoke_without_command=True)
@_url_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
@click.pass_context
def command(ctx: click.Context, url: str | None, as_json: bool, config: Path | None) -> None:
    """List who rests after a failure, how long, and why."""
    ctx.obj = url
    if ctx.invoked_subcommand is not None:
        return
    body = _asked(running(load_or_fail(config), url), "GET", "/admin/rests")
    rests = _rests(body).rests
    if as_json:
        say_json({"rests": rests})
    elif not rests:
        say("nobody rests")
    else:
        say_table(COLUMNS, [_line(one) for one in rests])


@command.command("clear")
@click.argument("place", required=False)
@_url_option
@config_option
@click.pass_context
def clear_command(ctx: click.Context, place: str | None, url: str | None, config: Path | None) -> None:
    """End the rests of PLACE: PROVIDER, PROVIDER/KEY or PROVIDER/KEY/MODEL, as they are listed. Without it: all."""
    gateway = running(load_or_fail(config), url or ctx.obj)
    body = _asked(gateway, "DELETE", "/admin/rests" if place is None else f"/admin/rests/{quote(place)}")
    say(f"{count(_ended(body).ended, 'rest')} ended")


def _line(one: Rest) -> tuple[str, ...]:
    place = "/".join(filter(None, (one.provider, one.key, one.model)))
    told = "by the provider" if one.told_by_provider else "no"
    cause = " ".join(one.cause.split())[:_SHOWN]
    times = one.since, one.until, f"{one.seconds:.0f} s"
    return place, one.kind, *times, str(one.failures), told, one.next_trial, cause


def _asked(gateway: Running, method: str, target: str) -> bytes:
    """The gateway's answer. Anything but a good one ends the command."""
    answer = ask(gateway, method, target)
    if answer is None:
        fail(f"no gateway answers at {gateway.url}; start one with: isthmus serve")
    return good(answer)
