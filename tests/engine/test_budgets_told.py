"""Two instances and one store that is late: what each counts is never more than was spent, and in the end just that."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.records import FakeRecords
from isthmus.core.periods import Period
from isthmus.engine.records import Used
from support.accounts import Accounts, budget, streamed

BUDGETS = (budget("client:alice", 10**9, Period.DAY), budget("global:", 10**9, Period.MONTH))
COST = 2800


class Late(FakeRecords):
    """Rows wait until a test lets them in, each instance's in their order, as a writer's queue does."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, list[Used]] = {"one": [], "other": []}

    def use(self, rows: object) -> None:
        for row in rows:  # type: ignore[attr-defined]  # rows
            self.queues[row.id.partition("_")[0]].append(row)

    def let_in(self, name: str, many: int) -> None:
        waiting = self.queues[name]
        super().use(waiting[:many])
        del waiting[:many]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "store", "let in", "let in", "refresh"]),
        st.sampled_from(["one", "other"]),
        st.integers(1, 3),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_nothing_is_counted_twice_however_late_the_store_is(steps: list[tuple[str, str, int]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, str, int]]) -> None:
    records, spent = Late(), 0
    both = {
        name: Accounts(*BUDGETS, one=[streamed(1000, 30) for _ in range(40)], records=records, name=name)
        for name in ("one", "other")
    }
    for what, name, many in steps:
        accounts = both[name]
        if what == "ask":
            await accounts.ask()
            spent += COST
        elif what == "store":
            accounts.store()
        elif what == "let in":
            records.let_in(name, many)
        else:
            await accounts.budgets.refresh()
        assert all(one.used(limit) <= spent for one in both.values() for limit in BUDGETS)
    for name, accounts in both.items():
        accounts.store()
        records.let_in(name, 1000)
    for accounts in both.values():
        await accounts.budgets.refresh()
        assert [accounts.used(limit) for limit in BUDGETS] == [spent, spent]
