"""`isthmus tools`: the coding tools and chat clients of this machine, pointed at the gateway and back."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from isthmus.cli.aiming import aim_of, aim_options, home_of, records_of, tool_named, without_models
from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import count, fail, say, say_json, say_table
from isthmus.config.secrets import of_this_process
from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.tools.connecting import (
    Planned,
    State,
    connect,
    disconnect,
    plan_to_connect,
    plan_to_disconnect,
    state_of,
)
from isthmus.tools.showing import difference
from isthmus.tools.table import TOOLS
from isthmus.tools.tool import Aim, Home, Tool

COLUMNS = ("NAME", "TOOL", "FOUND", "CONNECTED", "FILES")
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")


class Row(Value, frozen=True):
    """One tool on this machine. `found` is where, `connected` the address that it asks by our doing or otherwise."""

    name: str
    title: str
    found: str | None
    connected: str | None
    changed: bool
    by_hand: bool
    files: tuple[str, ...]
    runs: bool


@click.group("tools", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
@click.pass_context
def command(ctx: click.Context, as_json: bool, config: Path | None) -> None:
    """The coding tools and chat clients of this machine: list, connect, disconnect."""
    if ctx.invoked_subcommand is None:
        _say_tools(config, as_json=as_json)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@config_option
def list_command(as_json: bool, config: Path | None) -> None:
    """List the tools that are known, which of them are here, and which ask this gateway."""
    _say_tools(config, as_json=as_json)


@command.command("connect")
@click.argument("name")
@dry_run_option
@aim_options
def connect_command(name: str, *, dry_run: bool, config: Path | None, **said: str | None) -> None:
    """Point the tool NAME at the gateway by its own files. What they say else stays, and is kept beside them."""
    tool, environment = tool_named(name), of_this_process()
    home, records = home_of(environment), records_of(environment)
    aim = aim_of(tool, load_or_fail(config), said, _nobody)
    try:
        planned = plan_to_connect(tool, aim, home, records)
        if dry_run:
            _say_difference(planned, home)
            return
        if planned:
            connect(tool, aim, planned, records)
    except GatewayError as error:
        fail(f"{tool.title}: {error.message}")
    if planned:
        _say_connected(tool, aim, [one for one in planned if one.differs], home)
    for line in () if tool.steps is None else tool.steps(aim):
        say(line)


@command.command("disconnect")
@click.argument("name")
@dry_run_option
@config_option
def disconnect_command(name: str, *, dry_run: bool, config: Path | None) -> None:  # noqa: ARG001  as its siblings
    """Have the tool NAME ask whom it asked before. What anybody else changed in its files meanwhile stays."""
    tool, environment = tool_named(name), of_this_process()
    records = records_of(environment)
    try:
        planned = plan_to_disconnect(tool, records)
        if dry_run:
            _say_difference(planned, home_of(environment))
        elif planned:
            disconnect(tool, planned, records)
    except GatewayError as error:
        fail(f"{tool.title}: {error.message}")
    if not planned:
        say(f"{tool.title} was not connected")
    elif not dry_run:
        say(f"{tool.title} is as it was before")


def _nobody(url: str) -> NoReturn:
    fail(f"no gateway answers at {url}; start one with: isthmus serve, or say a model with --model")


def _say_connected(tool: Tool, aim: Aim, changed: Sequence[Planned], home: Home) -> None:
    if not changed:
        say(f"{tool.title} asks {aim.url} already, for {aim.model}")
        return
    say(f"{tool.title} asks {aim.url} from now on, for {aim.model}")
    for one in changed:
        say(f"  {_short(one.found.path, home)}")


def _say_difference(planned: Sequence[Planned], home: Home) -> None:
    changed = [one for one in planned if one.differs]
    for one in changed:
        for line in difference(_short(one.found.path, home), one.kind, one.found.content, one.after):
            say(line)
    click.echo(f"{count(len(changed), 'file')} would change", err=True)


def _say_tools(config: Path | None, *, as_json: bool) -> None:
    environment = of_this_process()
    home, records, aim = home_of(environment), records_of(environment), without_models(load_or_fail(config))
    path = environment.get("PATH")
    rows = [_row(tool, aim, home, state_of(tool, aim, home, records), path) for tool in TOOLS.values()]
    if as_json:
        say_json({"tools": rows})
    else:
        say_table(COLUMNS, [(row.name, row.title, row.found or "-", _state(row), ", ".join(row.files)) for row in rows])


def _row(tool: Tool, aim: Aim, home: Home, state: State, path: str | None) -> Row:
    files = tuple(_short(one.path, home) for one in tool.changes(aim, home))
    return Row(
        tool.name,
        tool.title,
        _found(tool, home, path),
        state.url,
        state.changed,
        state.by_hand,
        files,
        tool.start is not None,
    )


def _found(tool: Tool, home: Home, path: str | None) -> str | None:
    """Where the program is, else the folder that tells of it."""
    for program in tool.programs:
        if (there := shutil.which(program, path=path)) is not None:
            return _short(Path(there), home)
    return next((_short(folder, home) for folder in tool.folders(home) if folder.exists()), None)


def _state(row: Row) -> str:
    if row.connected is None:
        return "-" if row.files else "by hand only"
    return row.connected + (", changed since" if row.changed else "") + (", by hand" if row.by_hand else "")


def _short(path: Path, home: Home) -> str:
    for folder in (home.folder, home.folder.resolve()):
        if path.is_relative_to(folder):
            return f"~/{path.relative_to(folder)}"
    return str(path)
