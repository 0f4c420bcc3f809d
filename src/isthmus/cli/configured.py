"""What commands share to get at the configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from isthmus.cli.output import fail_for
from isthmus.config.listening import AS_CONFIGURED, Listen
from isthmus.config.load import Loaded, load
from isthmus.config.problems import ConfigProblems
from isthmus.config.secrets import of_this_process

_F = TypeVar("_F", bound=Callable[..., object])


def config_option(command: _F) -> _F:
    """`--config FILE`, which may as well stand before the command's name."""
    return click.option(
        "--config", type=click.Path(path_type=Path), callback=named_file, help="The configuration file."
    )(command)


def named_file(ctx: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """The file that was named for this command, or before it."""
    before: Path | None = ctx.find_root().params.get("config")
    return value or before


def load_or_fail(config: Path | None, listen: Listen = AS_CONFIGURED) -> Loaded:
    """The checked configuration; what is wrong with it goes to standard error and ends the command."""
    try:
        return load(config, of_this_process(), listen=listen)
    except ConfigProblems as bad:
        fail_for(bad)
