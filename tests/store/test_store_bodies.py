"""Bodies stand in a table of their own, and are forgotten before all else."""

import asyncio

from fakes.clock import FakeClock
from isthmus.engine.bodies import Bodies
from isthmus.engine.records import UsedQuery
from isthmus.store.address import Address
from isthmus.store.rules import Keep
from isthmus.store.store import Store, open_store
from support.stores import PATIENT, written
from support.used import LIKE_MOST, TIME

DAY = 86_400.0


def said(identity: str, at: float = TIME, request: str | None = '{"a": "\u00e9"}') -> Bodies:
    return Bodies(
        id=identity, at=at, client="alice", route="fast", request=request, answer=None, request_bytes=5, answer_bytes=0
    )


async def test_what_is_kept_is_found_by_its_exchange(store: Store) -> None:
    await store.keep_bodies([said("ex_1"), said("ex_2")])
    assert await store.bodies("ex_1") == said("ex_1")
    assert await store.bodies("ex_3") is None


async def test_what_is_kept_twice_stands_there_once(store: Store) -> None:
    await store.keep_bodies([said("ex_1")])
    await store.keep_bodies([said("ex_1", request="other")])
    assert await store.bodies("ex_1") == said("ex_1", request="other")


async def test_bodies_are_forgotten_by_days_of_their_own(address: Address, clock: FakeClock) -> None:
    async with open_store(address, clock, Keep(rows=0, bodies=5), PATIENT) as store:
        await store.keep_bodies([said("ex_old", clock.time() - 10 * DAY), said("ex_new", clock.time() - DAY)])
        store.use([LIKE_MOST])
        await written(store)
    async with open_store(address, clock, Keep(rows=0, bodies=5), PATIENT) as store:
        async with asyncio.timeout(20):
            while await store.bodies("ex_old") is not None:
                await asyncio.sleep(0.01)
        assert await store.bodies("ex_new") is not None
        assert len(await store.used(UsedQuery())) == 1
