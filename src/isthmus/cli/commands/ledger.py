"""`isthmus ledger`: whether what was spent still comes to the same when it is worked out again."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isthmus.cli.configured import config_option, load_or_fail
from isthmus.cli.output import FAILED, count, fail, say, say_json
from isthmus.config.load import Loaded

if TYPE_CHECKING:
    from isthmus.store.ledger import Difference, Ledger

PATIENCE = 600.0
"""Seconds that PostgreSQL may take for one sum over all rows."""
SHOWN = 20
"""Differences that are written out for people."""


@click.command("ledger")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def command(ctx: click.Context, config: Path | None, as_json: bool) -> None:
    """Work out what was spent from the rows of use, and compare. Reads the store itself; the gateway may run."""
    found = _read(load_or_fail(config))
    if as_json:
        say_json(found)
    else:
        _show(found)
    if found.differences:
        ctx.exit(FAILED)


def _read(loaded: Loaded) -> "Ledger":
    from isthmus.opened_store import store_address  # noqa: PLC0415  slow to import, as those below
    from isthmus.store.database import open_database  # noqa: PLC0415
    from isthmus.store.faults import OutOfReach  # noqa: PLC0415
    from isthmus.store.ledger import read_ledger  # noqa: PLC0415

    if not loaded.config.store.enabled:
        fail("the store is switched off, so nothing is kept of what was spent")
    address = store_address(loaded)
    if address.file is not None and not address.file.exists():
        fail(f"there is no store yet: {address.file}")

    async def read() -> "Ledger":
        database = open_database(address, run_within=PATIENCE)
        try:
            return await database.read(read_ledger)
        finally:
            await database.close()

    try:
        return asyncio.run(read())
    except OutOfReach as error:
        fail(f"the store cannot be read: {error}")


def _show(found: "Ledger") -> None:
    for one in found.differences[:SHOWN]:
        say(_line(one))
    if len(found.differences) > SHOWN:
        say(f"... and {len(found.differences) - SHOWN} more")
    older = f"; {found.older} began before what is kept, and are not too small" if found.older else ""
    differ = count(len(found.differences), "sum differs", "sums differ")
    say(f"{count(found.same, 'sum')} came to the same, {differ}{older}")


def _line(one: "Difference") -> str:
    since = datetime.fromtimestamp(one.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    amounts = f"{one.stands / 1e6:.6f} dollars stand there, {one.comes_to / 1e6:.6f} were used"
    return f"{one.scope}, {one.period} from {since}: {amounts}"
