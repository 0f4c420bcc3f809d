"""The accounts that a gateway would find at its start, for commands that tell what it would do with them."""

from collections.abc import Sequence

import click

from isthmus.cli.output import quiet
from isthmus.config.load import Loaded
from isthmus.core.errors import GatewayError
from isthmus.engine.accounts import Account
from isthmus.opened_store import store_address
from isthmus.store.peek import may_hold_accounts


async def known_accounts(loaded: Loaded) -> Sequence[Account]:
    """None where there is no store. Where it cannot be reached, that is said, and none are known."""
    if not loaded.config.store.enabled or not may_hold_accounts(store_address(loaded)):
        return ()
    from isthmus.opened_accounts import opened_book  # noqa: PLC0415  most who ask have no accounts

    quiet()
    try:
        async with opened_book(loaded) as book:
            return book.all()
    except GatewayError as error:
        click.echo(f"accounts are not known: {error.message}", err=True)
        return ()
