"""Accounts, opened as the configuration says: for the gateway that asks under them, and for commands.

The only place that leads from there to them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import NamedTuple

from isthmus.accounts.book import Book
from isthmus.accounts.endpoint import asking
from isthmus.accounts.files import left_by
from isthmus.accounts.intake import Intake
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import ISSUER_DEADLINES, Outside
from isthmus.accounts.rotation import rotated
from isthmus.accounts.sealing import Seal, opened_seal
from isthmus.accounts.signer import AccountSigner
from isthmus.accounts.signing_in import SignIns
from isthmus.config.issuers import issuers_of
from isthmus.config.load import Loaded
from isthmus.config.places import home
from isthmus.config.seal_places import seal_places
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountBook
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock, Transport
from isthmus.engine.signed_in import ACCOUNT
from isthmus.opened_store import opened_store, store_address
from isthmus.providers.issuer import Issuer
from isthmus.store.peek import may_hold_accounts
from isthmus.store.store import Store
from isthmus.system_clock import SystemClock
from isthmus.transport.client import open_transport
from isthmus.workers.link import Link
from isthmus.workers.sign_ins import SignInsOfWorkers

PATIENCE = 3.0
"""Seconds that the start waits for the accounts, where there may be any."""
TRIES = 5
"""How often a command asks for the accounts of a store that is being opened; each time for some seconds."""


class OpenedAccounts(NamedTuple):
    """`signers` are for an Authority, by the kind of credential. `expected`: there may be accounts from the start."""

    keeper: Keeper
    book: AccountBook
    signers: Mapping[str, AccountSigner]
    expected: bool


@asynccontextmanager
async def opened_accounts(
    loaded: Loaded, live: Live, store: Store | None, transport: Transport, clock: Clock, link: Link | None = None
) -> AsyncIterator[OpenedAccounts | None]:
    """None where the store is switched off. `link` leads to the other workers, who end each other's sign-ins."""
    if store is None:
        yield None
        return
    issuers = lambda: live.take().snapshot.issuers  # noqa: E731  as they are at each moment
    async with _opened(loaded, store, transport, clock, issuers, live, link) as (keeper, book):
        expected = may_hold_accounts(store_address(loaded))
        yield OpenedAccounts(keeper, book, {ACCOUNT: AccountSigner(keeper)}, expected)


@asynccontextmanager
async def opened_book(loaded: Loaded) -> AsyncIterator[AccountBook]:
    """The accounts of this machine's store, whether a gateway runs on it or not. Raises STORE_GONE, and UNSUPPORTED
    where it is switched off."""
    clock, issuers = SystemClock(), issuers_of(loaded.config)
    async with opened_store(loaded, clock) as store, open_transport() as transport:
        if store is None:
            raise _off()
        async with _opened(loaded, store, transport, clock, lambda: issuers) as (keeper, book):
            await _heard(keeper.refresh)
            yield book


async def rotated_key(loaded: Loaded) -> int:
    """Seal all tokens of this machine's store with another key. How many. Raises as `rotated` and `opened_book`."""
    clock = SystemClock()
    async with opened_store(loaded, clock) as store:
        if store is None:
            raise _off()
        await _heard(store.accounts_version)
        return await rotated(store, seal_of(loaded), clock)


def _off() -> GatewayError:
    return GatewayError(Kind.UNSUPPORTED, "accounts are kept in the store, which is off (store.enabled)")


async def _heard(ask: Callable[[], Awaitable[object]]) -> None:
    """On a busy machine a store takes longer to open than one question may: what it imports, and tables to be made."""
    for _ in range(TRIES - 1):
        with suppress(GatewayError):
            await ask()
            return
    await ask()


@asynccontextmanager
async def _opened(
    loaded: Loaded,
    store: Store,
    transport: Transport,
    clock: Clock,
    issuers: Callable[[], Mapping[str, Issuer]],
    live: Live | None = None,
    link: Link | None = None,
) -> AsyncIterator[tuple[Keeper, Book]]:
    outside = Outside(store, seal_of(loaded), asking(transport, ISSUER_DEADLINES), issuers, clock)
    keeper = Keeper(outside, live)
    intake = Intake(keeper, outside)
    own = SignIns(asking(transport), intake.take_in, clock)
    sign_ins = own if link is None else await _of_workers(link, own, keeper)
    left = partial(left_by, home=home(loaded.environment), variable=loaded.environment.get)
    try:
        yield keeper, Book(keeper, outside, intake, sign_ins, left)
    finally:
        await sign_ins.aclose()
        await keeper.aclose()


async def _of_workers(link: Link, own: SignIns, keeper: Keeper) -> SignInsOfWorkers:
    """This worker's `own`, and all that others have under way."""
    sign_ins = SignInsOfWorkers(link, own, partial(_found, keeper))
    await sign_ins.catch_up()
    return sign_ins


async def _found(keeper: Keeper, identity: str) -> Account:
    """The account as the store has it now."""
    await keeper.refresh()
    return keeper.roster.need(identity)


def seal_of(loaded: Loaded) -> Seal:
    """What tokens are sealed with."""
    places = seal_places(loaded.config, loaded.environment)
    return opened_seal(places.said, places.file, keyring=places.keyring)


async def first_accounts(opened: OpenedAccounts | None) -> None:
    """Wait a moment for accounts that may be there, so that no request is refused that could be asked under one."""
    if opened is None or not opened.expected:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await opened.keeper.first.wait()
    except TimeoutError:
        return
