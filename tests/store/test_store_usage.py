"""Use is written once and summed up exactly, in SQLite and PostgreSQL: a store in memory says what to expect."""

import asyncio
from random import Random

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from fakes.records import FakeRecords
from isthmus.core.periods import Period
from isthmus.engine.records import By, Spent, UsageQuery, UsageSum, UsedQuery
from isthmus.store import reading
from isthmus.store.address import Address
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.stores import PATIENT, written
from support.used import LIKE_MOST, TIME, many_rows

DAY, HOUR = 86_400.0, 3600.0
GROUPS = (
    (),
    (By.HOUR,),
    (By.DAY,),
    (By.MONTH,),
    (By.CLIENT,),
    (By.KEY, By.DAY),
    (By.TEAM, By.MODEL, By.OPERATION),
    (By.HOUR, By.PROVIDER, By.CLIENT),
    (By.MONTH, By.HOUR),
)
SPANS = (
    (TIME - HOUR, TIME + 40 * DAY),
    (TIME + 100.5, TIME + 2 * DAY + 7.25),
    (1_700_002_800.0, 1_700_002_800.0 + 5 * HOUR),
    (1_700_002_800.0 + 60, 1_700_002_800.0 + 120),
    (1_700_002_800.0 - 60, 1_700_002_800.0 + 60),
    (1_700_002_800.0 - 60, 1_700_002_800.0),
    (TIME + 1, TIME + 1),
    (TIME + 10, TIME),
)
ONLY = (
    {},
    {By.CLIENT: ("alice", "bob")},
    {By.KEY: ("openai/key-1",), By.MODEL: ("gpt-5.5",)},
    {By.TEAM: ("",)},
    {By.CLIENT: ()},
)


@pytest.fixture
async def model(store: Store) -> FakeRecords:
    """A store in memory with the same rows, some weeks over the turn of a month; in statements of all widths."""
    records, rows = FakeRecords(), tuple(many_rows(Random(7), 1527, seconds=25 * DAY))
    for begin in range(0, len(rows), 400):
        store.use(rows[begin : begin + 400])
    records.use(rows)
    await written(store)
    return records


def comparable(sums: "list[UsageSum] | tuple[UsageSum, ...]") -> list[str]:
    return sorted(map(repr, sums))


@pytest.mark.parametrize("by", GROUPS)
async def test_sums_are_those_of_the_rows(by: tuple[By, ...], store: Store, model: FakeRecords) -> None:
    for since, until in SPANS:
        for only in ONLY:
            query = UsageQuery(since=since, until=until, by=by, only=only, limit=10_000)
            assert comparable(await store.usage(query)) == comparable(await model.usage(query)), query


async def test_sums_come_in_the_order_of_time_and_then_of_what_they_cost(store: Store, model: FakeRecords) -> None:
    query = UsageQuery(since=TIME, until=TIME + 40 * DAY, by=(By.DAY, By.MODEL, By.CLIENT))
    order = [(one.at, -one.microdollars) for one in await store.usage(query)]
    assert order == sorted(order)


async def test_no_more_sums_are_told_than_were_asked_for(store: Store, model: FakeRecords) -> None:
    query = UsageQuery(since=TIME, until=TIME + 40 * DAY, by=(By.HOUR,), limit=3)
    assert [one.at for one in await store.usage(query)] == [one.at for one in await model.usage(query)]
    assert len(await store.usage(query)) == 3


@pytest.mark.parametrize("latest", [reading.LATEST, 60, 10])
async def test_single_exchanges_are_told_the_latest_first(
    latest: int, store: Store, model: FakeRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LATEST", latest)
    for only in (*ONLY, {By.CLIENT: ("carol",), By.OPERATION: ("embed",)}, {By.PROVIDER: ("nobody",)}):
        for failed in (False, True):
            query = UsedQuery(before=TIME + 10 * DAY, only=only, failed=failed, limit=50)
            assert await store.used(query) == await model.used(query), query


async def test_what_was_spent_is_told_for_the_periods_of_now(store: Store, model: FakeRecords) -> None:
    now = max(row.at for row in model.rows.values())
    expected = {one for one in await model.spent(now) if one.microdollars}
    assert set(await store.spent(now)) == expected
    assert {one.period for one in expected} == set(Period)


async def test_an_hour_whose_rows_are_forgotten_is_counted_whole(store: Store, clock: FakeClock) -> None:
    store.use([LIKE_MOST, replace(LIKE_MOST, id="ex_1", at=TIME + 60)])
    await written(store)
    query = UsageQuery(since=TIME + 30, until=TIME + 61)
    assert [one.requests for one in await store.usage(query)] == [1]
    clock.move(31 * DAY)
    assert [one.requests for one in await store.usage(query)] == [2]


async def test_a_row_is_read_as_it_was_written(store: Store) -> None:
    bare = replace(LIKE_MOST, id="ex_1", at=TIME + 1, microdollars=None, first_ms=None, losses=2, cached=True)
    store.use([LIKE_MOST, bare])
    await written(store)
    assert await store.used(UsedQuery()) == (bare, LIKE_MOST)


async def test_a_row_that_is_handed_over_twice_counts_once(store: Store) -> None:
    for _ in range(2):
        store.use([LIKE_MOST])
        await written(store)
    store.use([replace(LIKE_MOST, id="ex_1"), replace(LIKE_MOST, id="ex_1"), LIKE_MOST])
    await written(store)
    (told,) = await store.usage(UsageQuery(since=TIME - DAY, until=TIME + DAY))
    assert (told.requests, told.microdollars) == (2, 3000)
    assert Spent("global:", Period.ALL, 0.0, 3000) in await store.spent(TIME)


@pytest.mark.parametrize("text", ["a\x00b", "half \ud800", "'; DROP TABLE used; --", "é" * 100_000])
async def test_every_row_counts_whatever_text_it_holds(text: str, store: Store) -> None:
    odd = replace(LIKE_MOST, id="ex_1", model=text, client=text, asked=text, error=text)
    store.use([LIKE_MOST, odd, replace(LIKE_MOST, id="ex_2")])
    await written(store)
    assert {row.id for row in await store.used(UsedQuery())} == {"ex_0", "ex_1", "ex_2"}
    assert [one.microdollars for one in await store.usage(UsageQuery(since=0, until=TIME + DAY))] == [4500]


async def test_a_row_counts_whatever_numbers_it_holds(store: Store) -> None:
    store.use([LIKE_MOST, replace(LIKE_MOST, id="ex_1", output=2**80, ms=float("nan"), first_ms=float("inf"))])
    await written(store)
    assert [one.requests for one in await store.usage(UsageQuery(since=0, until=TIME + DAY))] == [2]


async def test_names_reach_the_database_as_parameters_only(store: Store) -> None:
    store.use([LIKE_MOST])
    await written(store)
    odd = "' OR 1=1 --"
    assert await store.used(UsedQuery(only={By.CLIENT: (odd,)})) == ()
    assert await store.usage(UsageQuery(since=0, until=TIME + DAY, only={By.KEY: (odd,), By.TEAM: (odd,)})) == ()


async def test_several_instances_that_write_at_once_lose_and_double_nothing(
    store: Store, address: Address, clock: FakeClock
) -> None:
    rows = list(many_rows(Random(11), 3000, seconds=3 * HOUR))
    async with (
        open_store(address, clock, KEEP, PATIENT) as second,
        open_store(address, clock, KEEP, PATIENT) as third,
    ):
        for begin in range(0, len(rows), 30):
            (store, second, third)[begin // 30 % 3].use(rows[begin : begin + 30])
            await asyncio.sleep(0)
        for one in (store, second, third):
            await written(one)
    (told,) = await store.usage(UsageQuery(since=0, until=TIME + DAY))
    assert (told.requests, told.output) == (3000, sum(row.output for row in rows))
    spent = {(one.scope, one.period): one.microdollars for one in await store.spent(TIME)}
    assert spent["global:", Period.ALL] == told.microdollars == sum(row.microdollars or 0 for row in rows)
