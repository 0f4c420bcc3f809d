"""`isthmus serve`: the gateway itself."""

from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.config.load import Listen


@click.command("serve")
@click.option("--host", help="Listen on this address, in place of the configured listeners.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port; 0 takes any free one.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, help="Processes that serve as one, on as many cores."
)
@click.option("--seat", hidden=True, help="What the process that keeps the workers tells each of them.")
@config_option
@click.pass_context
def command(
    ctx: click.Context, host: str | None, port: int | None, *, workers: int, seat: str | None, config: Path | None
) -> None:
    """Start the gateway, and run until SIGINT or SIGTERM. SIGHUP reads the configuration again."""
    loaded = load_or_fail(config, Listen(host, port))
    from isthmus.app import run  # noqa: PLC0415  a bad configuration is told without loading the gateway
    from isthmus.workers.crew import seat_of  # noqa: PLC0415  as above

    ctx.exit(run(loaded, workers=workers, seat=None if seat is None else seat_of(seat)))
