"""The client keys that are given out, kept as the configuration says. The only place that leads from there to them."""

import asyncio

from isthmus.config.load import Loaded
from isthmus.engine.keyring import Keyring
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock
from isthmus.opened_store import store_address
from isthmus.store.peek import may_hold_keys
from isthmus.store.store import Store

PATIENCE = 3.0
"""Seconds that the start waits for the client keys, where there may be any."""


def keyring_of(loaded: Loaded, live: Live, store: Store | None, clock: Clock, *, empty: bool) -> Keyring | None:
    """None where the store is switched off. `empty`: it is known that there is no key yet."""
    if store is None:
        return None
    return Keyring(live, store, clock, trust=loaded.config.store.trust, empty=empty)


def has_no_keys(loaded: Loaded) -> bool:
    """Is it known, before the store is opened, that it holds no client key?"""
    entry = loaded.config.store
    return not entry.enabled or not may_hold_keys(store_address(loaded))


async def first_keys(keyring: Keyring | None) -> None:
    """Wait a moment for keys that may be there, so that nobody is turned away who has one."""
    if keyring is None or keyring.heard:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await keyring.first.wait()
    except TimeoutError:
        return
