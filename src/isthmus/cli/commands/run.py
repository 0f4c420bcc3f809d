"""`isthmus run`: a coding tool that asks the gateway for as long as it runs. Nothing of its settings is written."""

import shutil
from pathlib import Path
from typing import NoReturn

import click

from isthmus.cli.aiming import aim_of, aim_options, home_of, tool_named
from isthmus.cli.configured import load_or_fail
from isthmus.cli.output import fail
from isthmus.cli.starting import start_in_place
from isthmus.config.secrets import of_this_process
from isthmus.tools.table import TOOLS
from isthmus.tools.tool import Tool

NOBODY = 2
"""The exit code where no gateway answers."""


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@aim_options
def command(name: str, arguments: tuple[str, ...], config: Path | None, **said: str | None) -> None:
    """Start the tool NAME with what makes it ask the gateway; all that follows the name is for the tool."""
    tool, environment = tool_named(name), of_this_process()
    if tool.start is None:
        runs = ", ".join(one.name for one in TOOLS.values() if one.start is not None)
        fail(f"{tool.title} cannot be started so; there are {runs}")
    program = _program(tool, environment.get("PATH"))
    start = tool.start(aim_of(tool, load_or_fail(config), said, _nobody), home_of(environment))
    start_in_place(program, start, arguments, environment.handed_on(start.variables, start.without))


def _program(tool: Tool, path: str | None) -> str:
    found = next(filter(None, (shutil.which(one, path=path) for one in tool.programs)), None)
    if found is None:
        fail(f"{tool.title} is not installed: {' or '.join(tool.programs)} is not on the path")
    return found


def _nobody(url: str) -> NoReturn:
    click.echo(f"no gateway answers at {url}; start one with: isthmus serve", err=True)
    raise click.exceptions.Exit(NOBODY)
