"""What was spent comes to the same when it is worked out again; where it does not, the difference is told."""

from collections.abc import Iterable

from msgspec.structs import replace
from sqlalchemy import Connection, delete, update

from isthmus.engine.records import Used
from isthmus.store.address import Address
from isthmus.store.database import open_database
from isthmus.store.ledger import Difference, Ledger, read_ledger
from isthmus.store.store import Store
from isthmus.store.tables import spent, used, used_hours
from support.stores import written
from support.used import NOON, ROW


def rows() -> Iterable[Used]:
    """Two clients over forty days, some without a price."""
    for number in range(120):
        client, team = ("alice", "sales") if number % 2 else ("carol", "")
        cost = None if number % 11 == 0 else number
        at = NOON + number * 28_800.5
        yield replace(ROW, id=f"ex_{number}", at=at, client=client, team=team, microdollars=cost)


async def looked_over(address: Address, spoil: object = None) -> Ledger:
    database = open_database(address)
    try:
        if spoil is not None:
            await database.write(_execute, spoil)
        return await database.read(read_ledger)
    finally:
        await database.close()


def _execute(connection: Connection, statement: object) -> None:
    connection.execute(statement)  # type: ignore[call-overload]  # one of those below


async def filled(store: Store) -> None:
    store.use(tuple(rows()))
    await written(store)


async def test_an_empty_store_has_nothing_that_differs(store: Store, address: Address) -> None:
    assert await looked_over(address) == Ledger(0, 0, ())


async def test_what_was_written_comes_to_the_same(store: Store, address: Address) -> None:
    await filled(store)
    found = await looked_over(address)
    assert (found.older, found.differences) == (0, ())
    assert found.same > 200


async def test_a_sum_that_was_changed_is_told(store: Store, address: Address) -> None:
    await filled(store)
    whole = sum(row.microdollars or 0 for row in rows())
    wrong = update(spent).where(spent.c.scope == "global:", spent.c.period == "all").values(microdollars=5)
    assert (await looked_over(address, wrong)).differences == (Difference("global:", "all", 0, 5, whole),)


async def test_an_hour_that_is_missing_is_told_and_so_is_what_was_spent_in_it(store: Store, address: Address) -> None:
    await filled(store)
    last = max(rows(), key=lambda row: row.at)
    hour = int(last.at) // 3600 * 3600
    found = await looked_over(address, delete(used_hours).where(used_hours.c.hour == hour))
    assert found.differences[0] == Difference("client:alice, team:sales", "hour", hour, 0, 119)
    assert {(one.scope, one.period) for one in found.differences[1:]} == {
        (scope, period) for scope in ("client:alice", "team:sales", "global:") for period in ("day", "week", "month")
    }


async def test_sums_of_what_is_no_longer_kept_are_not_taken_for_mistakes(store: Store, address: Address) -> None:
    await filled(store)
    found = await looked_over(address, delete(used).where(used.c.at < NOON + 86_400 * 20))
    assert found.differences == ()
    assert found.older > 50
    found = await looked_over(address, delete(used_hours).where(used_hours.c.hour < NOON + 86_400 * 20))
    assert found.differences == ()


async def test_a_sum_that_is_too_small_is_a_mistake_however_old(store: Store, address: Address) -> None:
    await filled(store)
    await looked_over(address, delete(used).where(used.c.at < NOON + 86_400 * 20))
    wrong = update(spent).where(spent.c.scope == "client:carol", spent.c.period == "all").values(microdollars=1)
    [one] = (await looked_over(address, wrong)).differences
    assert (one.scope, one.period, one.stands) == ("client:carol", "all", 1)
