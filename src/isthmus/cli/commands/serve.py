"""`isthmus serve`: the gateway itself."""

from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.config.load import Listen


@click.command("serve")
@click.option("--host", help="Listen on this address, in place of the configured listeners.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes any free one.")
@config_option
@click.pass_context
def command(ctx: click.Context, host: str | None, port: int | None, config: Path | None) -> None:
    """Start the gateway, and run until SIGINT or SIGTERM. SIGHUP reads the configuration again."""
    loaded = load_or_fail(config, Listen(host, port))
    from isthmus.app import run  # noqa: PLC0415  a bad configuration is told without loading the gateway

    ctx.exit(run(loaded))
