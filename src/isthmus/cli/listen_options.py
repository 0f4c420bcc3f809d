"""What the command line says of listening: four options, which together are one value."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from isthmus.cli.main import LISTEN
from isthmus.config.listening import Listen
from isthmus.engine.compat import Compat

_F = TypeVar("_F", bound=Callable[..., object])


def listen_options(command: _F) -> _F:
    """`--host`, `--port`, `--compat` and `--all-ports`, which `listen_said` tells of."""
    options = (
        click.option("--host", help="Listen on this address, in place of the configured listeners.", **_apart()),
        click.option(
            "-p",
            "--port",
            type=click.IntRange(0, 65535),
            help="Listen on this port; 0 takes any free one.",
            **_apart(),
        ),
        click.option(
            "--compat",
            type=click.Choice([one.value for one in Compat]),
            help="Listen where the clients of another system look for it, with its manners.",
            **_apart(),
        ),
        click.option(
            "--all-ports",
            is_flag=True,
            help="Listen on 8317, 8080, 8000 and 8081, each with the manners of the system it belongs to.",
            **_apart(),
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def listen_said(ctx: click.Context) -> Listen:
    """What was said, if anything was."""
    said: dict[str, Any] = ctx.meta.get(LISTEN, {})
    compat = said.get("compat")
    return Listen(**{**said, "compat": None if compat is None else Compat(compat)})


def _apart() -> dict[str, Any]:
    return {"expose_value": False, "callback": _keep}


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value is not None and value is not False:
        ctx.meta.setdefault(LISTEN, {})[param.name] = value
