"""The command line's table of contents. A command's file is imported only when that command is called."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from isthmus import __version__

LISTEN = "isthmus.listen"
"""Where the options of listening are kept while a command is called."""


class Row(NamedTuple):
    """Where a command lives, and what it does in a few words. Its module holds it as `command`."""

    module: str
    about: str


COMMANDS: Mapping[str, Row] = {
    "serve": Row("isthmus.cli.commands.serve", "Start the gateway. What happens without a command, too."),
    "init": Row("isthmus.cli.commands.init", "Write a commented isthmus.yaml."),
    "check": Row("isthmus.cli.commands.check", "Tell everything that is wrong with a configuration."),
    "config": Row("isthmus.cli.commands.config", "The configuration file: import, show, path."),
    "models": Row("isthmus.cli.commands.models", "List what the configuration would serve, and what is known of it."),
    "route": Row("isthmus.cli.commands.route", "Where requests go, and why: explain."),
    "keys": Row("isthmus.cli.commands.keys", "Client keys: list, show, create, rotate, disable, enable, delete."),
    "accounts": Row("isthmus.cli.commands.accounts", "Accounts that you signed in to: list, add, switch, quota, ..."),
    "login": Row("isthmus.cli.commands.login", "Sign in to an account. The same as accounts add."),
    "rests": Row("isthmus.cli.commands.rests", "Who rests after a failure, as the running gateway knows: list, clear."),
    "logs": Row("isthmus.cli.commands.logs", "The latest lines of the running gateway's log, and those that follow."),
    "service": Row("isthmus.cli.commands.service", "Keep the gateway running: install, start, stop, status, logs."),
    "usage": Row("isthmus.cli.commands.usage", "What was used, and what it cost."),
    "ledger": Row("isthmus.cli.commands.ledger", "Whether what was spent still comes to the same."),
    "catalogue": Row("isthmus.cli.commands.catalogue", "What is known of models in general: status, refresh."),
    "tools": Row("isthmus.cli.commands.tools", "Coding tools of this machine: list, connect, disconnect."),
    "run": Row("isthmus.cli.commands.run", "Start a coding tool that asks the gateway; nothing is written."),
    "local": Row("isthmus.cli.commands.local", "The small model that comes with Isthmus: install, status."),
    "version": Row("isthmus.cli.commands.version", "Tell the version."),
}


class Commands(click.Group):
    """A group that knows its commands from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, row.about) for name, row in COMMANDS.items()])


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="isthmus", message="%(prog)s %(version)s")
@click.option("--config", "-config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option("--init", "begin", is_flag=True, help="The same as the command init.")
@click.option("--force", is_flag=True, help="With --init: put a new management key into a file that exists.")
@click.option("--serve", "port", type=click.IntRange(0, 65535), help="The same as serve --compat llms --port PORT.")
@click.pass_context
def main(ctx: click.Context, config: Path | None, begin: bool, force: bool, port: int | None) -> None:
    """An LLM gateway: any client API in front, any provider behind."""
    if force and not begin:
        raise click.UsageError("--force belongs to --init")
    if (begin or port is not None) and ctx.invoked_subcommand:
        raise click.UsageError("--init and --serve take no further command")
    if begin:
        ctx.invoke(_load("init"), config=config, force=force)
    elif ctx.invoked_subcommand is None:
        if port is not None:
            ctx.meta[LISTEN] = {"port": port, "compat": "llms"}
        ctx.invoke(_load("serve"), config=config)


def _load(name: str) -> click.Command:
    command: click.Command = import_module(COMMANDS[name].module).command
    return command
