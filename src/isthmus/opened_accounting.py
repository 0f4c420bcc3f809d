"""Who accounts for what exchanges come to: rows of use for the store, and budgets that it remembers. Where it is off,
budgets are held all the same, for as long as this process runs."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from isthmus.engine.budgets import Budgets
from isthmus.engine.live import Live
from isthmus.engine.ports import Clock, Limiter
from isthmus.engine.records import Records
from isthmus.telemetry.log import Count
from isthmus.telemetry.used import UsedRows

PATIENCE = 3.0
"""Seconds that the start waits for what was spent, where there are budgets."""


class Accounting(NamedTuple):
    """`counts` are handed what is over; `budgets` is None without a store."""

    counts: Sequence[Count]
    budgets: Budgets | None


def accounting_of(live: Live, records: Records | None, limiter: Limiter, clock: Clock) -> Accounting:
    if records is None:
        return Accounting((), None)
    budgets = Budgets(live, records, limiter, clock)
    return Accounting((UsedRows(live, records, budgets.handed).keep,), budgets)


async def first_spent(budgets: Budgets | None) -> None:
    """Wait a moment for what was spent, so that nobody is turned away who has a budget."""
    if budgets is None or budgets.heard:
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await budgets.first.wait()
    except TimeoutError:
        return
