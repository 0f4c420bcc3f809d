"""What is older than it is kept for is forgotten, in steps, and nothing else is."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.periods import Period
from isthmus.engine.records import By, Deed, UsageQuery, UsedQuery
from isthmus.store import retention
from isthmus.store.address import Address
from isthmus.store.rules import Keep
from isthmus.store.store import Store, open_store
from support.stores import PATIENT, written
from support.used import LIKE_MOST, TIME

DAY = 86_400.0
OLD, NEW = TIME - 10 * DAY, TIME - 1 * DAY
DEED = Deed(at=OLD, who="root", role="owner", peer="", what="", on="", outcome="done")


@pytest.fixture
async def filled(address: Address, clock: FakeClock) -> Address:
    """A database with twenty rows of use and a deed ten days ago, and as much yesterday."""
    async with open_store(address, clock, Keep(rows=0, sums=0, deeds=0), PATIENT) as store:
        for begin, at in ((0, OLD), (20, NEW)):
            store.use([replace(LIKE_MOST, id=f"ex_{begin + one}", at=at + one) for one in range(20)])
            await store.note(replace(DEED, at=at))
        await written(store)
    return address


async def until_there_are(store: Store, rows: int, days: int, deeds: int) -> None:
    """Rows of use, days with sums, and deeds."""
    found: tuple[int, ...] = ()
    try:
        async with asyncio.timeout(20):
            while found != (rows, days, deeds):
                await asyncio.sleep(0.01)
                sums = await store.usage(UsageQuery(since=0, until=TIME + DAY, by=(By.DAY,)))
                found = len(await store.used(UsedQuery())), len(sums), len(await store.deeds())
    except TimeoutError:
        raise AssertionError(f"there are {found}") from None


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (Keep(rows=5, sums=0, deeds=0), (20, 2, 2)),
        (Keep(rows=0, sums=5, deeds=0), (40, 1, 2)),
        (Keep(rows=0, sums=0, deeds=5), (40, 2, 1)),
        (Keep(rows=0, sums=0, deeds=0), (40, 2, 2)),
    ],
    ids=["rows", "sums", "deeds", "nothing"],
)
async def test_each_is_kept_for_its_own_days(
    keep: Keep, left: tuple[int, int, int], filled: Address, clock: FakeClock
) -> None:
    async with open_store(filled, clock, keep, PATIENT) as store:
        await until_there_are(store, *left)


async def test_forgetting_takes_many_steps(filled: Address, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP", 3)
    async with open_store(filled, clock, Keep(rows=5, sums=5, deeds=5), PATIENT) as store:
        await until_there_are(store, 20, 1, 1)


async def test_what_was_spent_is_kept_until_its_period_is_over(filled: Address, clock: FakeClock) -> None:
    async with open_store(filled, clock, Keep(rows=5, sums=5, deeds=5), PATIENT) as store:
        await until_there_are(store, 20, 1, 1)
        spent = {(one.scope, one.period): one.microdollars for one in await store.spent(TIME)}
    assert (spent["global:", Period.MONTH], spent["global:", Period.ALL]) == (40 * 1500, 40 * 1500)


async def test_what_was_spent_in_all_is_never_forgotten(filled: Address, clock: FakeClock) -> None:
    clock.move(400 * DAY)
    async with open_store(filled, clock, Keep(rows=5, sums=5, deeds=5), PATIENT) as store:
        await until_there_are(store, 0, 0, 0)
        async with asyncio.timeout(20):
            while {one.period for one in await store.spent(TIME)} != {Period.ALL}:
                await asyncio.sleep(0.01)


async def test_a_day_later_more_is_forgotten(filled: Address, clock: FakeClock) -> None:
    pace = replace(PATIENT, house=0.01)
    async with open_store(filled, clock, Keep(rows=5, sums=0, deeds=0), pace) as store:
        await until_there_are(store, 20, 2, 2)
        clock.move(5 * DAY)
        await until_there_are(store, 0, 2, 2)
