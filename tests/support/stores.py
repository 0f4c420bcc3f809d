"""What tests of the store share: a pace for them, and waiting until rows are written."""

import asyncio

from isthmus.store.rules import Pace
from isthmus.store.store import Store

PATIENT = Pace(patience=30, every=0.01, retry=0.01, retry_most=0.05, step=0.001)
"""A busy machine may take its time; and no test waits for further rows."""


async def written(store: Store) -> None:
    """Until no row waits any more."""
    async with asyncio.timeout(30):
        while store.waiting:
            await asyncio.sleep(0.005)
