"""Thousands of accounts: what they take of memory, and what a request looks at."""

import gc
import tracemalloc
from collections.abc import Sequence

from fakes.account_records import FakeAccountRecords
from fakes.clock import FakeClock
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import Outside
from isthmus.accounts.seal_keys import SaidKeys
from isthmus.accounts.sealing import Seal
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, UsedWindow
from isthmus.engine.live import Live
from isthmus.engine.signed_in import REMEMBERED, Under
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.plan import Target
from support.keeping import KEY, strict

MANY = 5000
BYTES = 10 * 1024 * 1024
MODELS = 20


def anew(number: int) -> Account:
    """One of many, whose words nobody else holds, as a store tells of it."""
    windows = (UsedWindow("5 hours", 0.25, 9000.0 + number, 18_000.0), UsedWindow("7 days", 0.5, 90_000.0 + number))
    return Account(
        id=f"acc_{number:016x}",
        issuer="".join(("str", "ict")),
        name=f"user{number}@example.com",
        email=f"user{number}@example.com",
        subject=f"{number:08x}-0000-4000-8000-{number:012x}",
        plan="".join(("pl", "us")),
        added_at=1.0 + number,
        expires_at=3600.0 + number,
        refreshed_at=2.0 + number,
        used_at=3.0 + number,
        windows=windows,
        windows_at=4.0 + number,
        source="".join(("signed", " in")),
    )


class Many(FakeAccountRecords):
    async def accounts(self) -> Sequence[Account]:
        return [anew(number) for number in range(MANY)]


async def nobody(_: object) -> None:
    raise AssertionError("an issuer was asked")


async def test_thousands_of_accounts_take_little_memory_and_requests_look_at_few() -> None:
    live = Live(Snapshot(providers={"strict": strict()}))
    seal = Seal(SaidKeys(Secret(KEY), "a test"))
    keeper = Keeper(Outside(Many(), seal, nobody, lambda: {}, FakeClock()), live)  # type: ignore[arg-type]  never asked
    gc.collect()
    tracemalloc.start()
    try:
        await keeper.refresh()
        now = live.take()
        for number in range(MODELS):
            places = now.places.of(Target("strict", f"model-{number}"))
            assert (len(places), places[0].credential) == (MANY, "user0@example.com")
            now.snapshot.keyed("strict", places[number].credential)
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < BYTES


def test_of_thousands_only_some_are_kept_as_they_are_asked_under() -> None:
    under = Under(strict(), {f"user{number}": f"acc_{number}" for number in range(MANY)})
    asked = [under[f"user{number}"].cloud for number in range(MANY)]
    assert len({str(cloud) for cloud in asked}) == MANY
    assert len(under._made) == REMEMBERED
