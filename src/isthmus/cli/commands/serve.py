"""`isthmus serve`: the gateway itself."""

from pathlib import Path

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.listen_options import listen_options, listen_said


@click.command("serve")
@listen_options
@click.option(
    "--workers", type=click.IntRange(1, 256), default=1, help="Processes that serve as one, on as many cores."
)
@click.option("--seat", hidden=True, help="What the process that keeps the workers tells each of them.")
@config_option
@click.pass_context
def command(ctx: click.Context, *, workers: int, seat: str | None, config: Path | None) -> None:
    """Start the gateway, and run until SIGINT or SIGTERM. SIGHUP reads the configuration again."""
    loaded = load_or_fail(config, listen_said(ctx))
    from isthmus.app import run  # noqa: PLC0415  a bad configuration is told without loading the gateway
    from isthmus.workers.crew import seat_of  # noqa: PLC0415  as above

    ctx.exit(run(loaded, workers=workers, seat=None if seat is None else seat_of(seat)))
