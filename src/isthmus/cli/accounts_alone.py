"""The accounts of this machine's store, for commands that work with them whether a gateway runs or not.

A gateway that runs on the same store notices within a second.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from isthmus.cli.configured import load_or_fail
from isthmus.cli.output import fail, quiet
from isthmus.config.load import Loaded
from isthmus.core.errors import GatewayError
from isthmus.engine.accounts import Account, AccountBook
from isthmus.opened_accounts import opened_book, rotated_key

_T = TypeVar("_T")


def with_book(config: Path | None, work: Callable[[AccountBook], Awaitable[_T]]) -> _T:
    """What `work` comes to. Whatever goes wrong ends the command with its words."""

    async def worked(loaded: Loaded) -> _T:
        async with opened_book(loaded) as book:
            return await work(book)

    return _ended(config, worked)


def resealed(config: Path | None) -> int:
    """Seal all tokens with another key. How many accounts those were."""

    return _ended(config, rotated_key)


def _ended(config: Path | None, work: Callable[[Loaded], Awaitable[_T]]) -> _T:
    loaded = load_or_fail(config)
    if not loaded.config.store.enabled:
        fail(f"accounts are kept in the store, which {loaded.source} switches off (store.enabled)")

    async def worked() -> _T:
        return await work(loaded)

    quiet()
    try:
        return asyncio.run(worked())
    except GatewayError as error:
        fail(error.message)


def account_of(accounts: Sequence[Account], said: str) -> Account:
    """The account of this id, name or e-mail address. Where there is none, or more than one, the command ends."""
    wanted = said.casefold()
    kinds = ("id", "name", "email")
    each = ([one for one in accounts if getattr(one, kind).casefold() == wanted] for kind in kinds)
    found = next(filter(None, each), [])
    if not found:
        fail(f"there is no account {said!r}; isthmus accounts tells which there are")
    if len(found) > 1:
        fail(f"{said!r} is the name of several accounts; say one of these ids:", *(_line(one) for one in found))
    return found[0]


def _line(account: Account) -> str:
    return f"  {account.id}  {account.name} at {account.issuer}"
