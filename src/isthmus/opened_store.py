"""The store, opened as the configuration says. The only place that leads from that section to the database."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from isthmus.config.load import Loaded
from isthmus.config.places import data_dir
from isthmus.engine.ports import Clock
from isthmus.store.address import Address, address_of
from isthmus.store.rules import Keep
from isthmus.store.store import Store, open_store


@asynccontextmanager
async def opened_store(loaded: Loaded, clock: Clock) -> AsyncIterator[Store | None]:
    """None where it is switched off. Returns at once: the database is opened behind the gateway's back."""
    entry = loaded.config.store
    if not entry.enabled:
        yield None
        return
    keep = Keep(
        rows=entry.keep_days,
        sums=entry.keep_sums_days,
        deeds=entry.keep_audit_days,
        bodies=loaded.config.log.bodies.keep_days,
        queue=entry.queue,
    )
    # What it imports is never garbage, so the collector need not look at it.
    async with open_store(store_address(loaded), clock, keep, on_open=gc.freeze) as store:
        yield store


def store_address(loaded: Loaded) -> Address:
    """Where the database is: as configured, or in the folder for data."""
    beside = Path() if loaded.path is None else loaded.path.parent
    return address_of(loaded.config.store.url, data_dir(loaded.environment), beside)
