"""What budgets count and what the store keeps is one sum, whatever becomes of requests, and whoever else spends."""

import asyncio
from random import Random

from fakes.clock import FakeClock
from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.periods import Period
from isthmus.engine.records import By, UsageQuery
from isthmus.store.address import Address
from isthmus.store.database import open_database
from isthmus.store.ledger import read_ledger
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.accounts import CLIENTS, HELLO, Accounts, budget, ending
from support.stores import PATIENT, written

BUDGETS = (
    budget("client:alice", 600_000, Period.DAY),
    budget("team:sales", 900_000, Period.MONTH),
    budget("global:", 1_100_000, Period.ALL),
)


class Upstreams:
    """Most answer; some cut off, some are late."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    async def send(self, outgoing: object, deadlines: object) -> Scripted:
        await asyncio.sleep(0)
        if self._dice.random() < 0.1:
            raise GatewayError(Kind.TIMED_OUT, "no answer in time")
        end = [] if self._dice.random() < 0.1 else [ending(self._dice.randint(1, 200), self._dice.randint(1, 900))]
        return Scripted(HELLO, HELLO, *end, headers=SSE)


def instance(store: Store, seed: int, name: str) -> Accounts:
    accounts = Accounts(*BUDGETS, records=store, name=name)
    accounts.line.ports.transport = Upstreams(Random(seed))  # type: ignore[assignment]  # all of it that is used
    return accounts


async def spend(accounts: Accounts, seed: int, requests: int = 100) -> None:
    dice = Random(seed)
    async with asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(accounts.ask(dice.choice(CLIENTS).name, pieces=dice.choice([None, None, 1])))
    accounts.store()


async def test_ledger_rows_and_what_was_spent_are_one_sum(store: Store, address: Address) -> None:
    accounts = instance(store, 1, "ex")
    await spend(accounts, 1)
    await written(store)
    counted = [accounts.used(limit) for limit in BUDGETS]
    assert counted == [await accounts.kept(limit) for limit in BUDGETS]
    now = accounts.line.clock.time()
    [total] = await store.usage(UsageQuery(since=now - 3600, until=now + 3600))
    assert total.microdollars == counted[2]
    by_client = await store.usage(UsageQuery(since=now - 3600, until=now + 3600, by=(By.CLIENT,)))
    assert sum(one.microdollars for one in by_client) == counted[2]
    database = open_database(address)
    found = await database.read(read_ledger)
    await database.close()
    assert (found.older, found.differences) == (0, ())


async def test_two_instances_that_share_only_the_database_count_what_both_spent(store: Store, address: Address) -> None:
    async with open_store(address, FakeClock(), KEEP, PATIENT) as other_store:
        await other_store.client_keys_version()
        one, other = instance(store, 2, "one"), instance(other_store, 3, "other")
        for _ in range(3):
            await spend(one, 4, 20)
            await spend(other, 5, 20)
            await written(store)
            await written(other_store)
            await one.budgets.refresh()
            await other.budgets.refresh()
        kept = [await one.kept(limit) for limit in BUDGETS]
        assert [one.used(limit) for limit in BUDGETS] == kept
        assert [other.used(limit) for limit in BUDGETS] == kept


async def test_a_process_that_begins_knows_what_the_last_one_spent(store: Store, address: Address) -> None:
    before = instance(store, 6, "before")
    await spend(before, 6)
    await written(store)
    async with open_store(address, FakeClock(), KEEP, PATIENT) as again:
        await again.client_keys_version()
        after = instance(again, 7, "after")
        await after.budgets.refresh()
        assert [after.used(limit) for limit in BUDGETS] == [before.used(limit) for limit in BUDGETS]
