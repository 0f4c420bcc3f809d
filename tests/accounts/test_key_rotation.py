"""A new key for accounts that are there: all are sealed with it, nobody is waited for in vain, nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.accounts import rotation
from isthmus.accounts.archive import everything
from isthmus.accounts.rotation import Patience, resealed, rotated
from isthmus.accounts.seal_keys import KeyFile, SaidKeys, new_key
from isthmus.accounts.sealing import Seal, opened_seal
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, Sealed, Tokens
from isthmus.store.address import address_of
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.stores import PATIENT

NOW = 1_700_000_000.0
AT_ONCE = Patience(pause=0, settle=0)


def account(number: int) -> Account:
    return Account(id=f"acc_{number}", issuer="codex", name=f"user-{number}@example.com", added_at=NOW + number)


def tokens(number: int) -> Tokens:
    return Tokens(access=Secret(f"access-{number}"), refresh=Secret(f"refresh-{number}"))


@pytest.fixture
async def store(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Store]:
    async with open_store(address_of(None, tmp_path), clock, KEEP, PATIENT) as store:
        yield store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.key"


async def fill(store: Store, seal: Seal, many: int = 5) -> None:
    for number in range(many):
        await store.add_account(account(number), seal.close(tokens(number), f"acc_{number}"))


async def opened(store: Store, seal: Seal) -> list[Tokens]:
    return [one.tokens for one in await everything(store, seal)]


async def keys_in_use(store: Store) -> set[str]:
    return {sealed.key for one in await store.accounts() if (sealed := await store.sealed(one.id))}


async def test_every_account_is_sealed_with_a_new_key_and_the_old_one_is_gone(
    store: Store, file: Path, clock: FakeClock
) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal)
    (before,) = KeyFile(file).known()
    assert await rotated(store, seal, clock, AT_ONCE) == 5
    (after,) = KeyFile(file).known()
    assert after.id != before.id
    assert await keys_in_use(store) == {after.id}
    assert await opened(store, opened_seal(None, file)) == [tokens(number) for number in range(5)]


async def test_the_first_key_of_a_text_is_the_new_one(store: Store, clock: FakeClock) -> None:
    old, new = new_key(), new_key()
    await fill(store, Seal(SaidKeys(Secret(old.written()), "X")))
    both = Seal(SaidKeys(Secret(f"{new.written()},{old.written()}"), "X"))
    assert await rotated(store, both, clock, AT_ONCE) == 5
    assert await opened(store, Seal(SaidKeys(Secret(new.written()), "X"))) == [tokens(number) for number in range(5)]
    assert await rotated(store, both, clock, AT_ONCE) == 0


async def test_more_accounts_than_are_sealed_at_once_are_all_sealed(
    store: Store, file: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "AT_ONCE", 2)
    seal = opened_seal(None, file)
    await fill(store, seal, 7)
    assert await rotated(store, seal, clock, AT_ONCE) == 7
    assert len(await keys_in_use(store)) == 1


async def test_without_an_account_there_is_a_new_key_all_the_same(store: Store, file: Path, clock: FakeClock) -> None:
    seal = opened_seal(None, file)
    assert await rotated(store, seal, clock, AT_ONCE) == 0
    assert len(KeyFile(file).known()) == 1


async def test_tokens_that_are_being_refreshed_are_waited_for(store: Store, file: Path, clock: FakeClock) -> None:
    seal, gateway = opened_seal(None, file), opened_seal(None, file)
    await fill(store, seal, 2)
    await store.lease("acc_1", "a gateway", clock.time() + 60, clock.time())
    rotating = asyncio.create_task(rotated(store, seal, clock, replace(AT_ONCE, pause=0.001)))
    while (await store.sealed("acc_0") or Sealed(b"", "")).version != 1:
        await asyncio.sleep(0.001)
    assert len(KeyFile(file).known()) == 2
    assert await store.replace_tokens(account(1), gateway.close(tokens(9), "acc_1", 1))
    await store.release("acc_1", "a gateway")
    await rotating
    assert await opened(store, opened_seal(None, file)) == [tokens(0), tokens(9)]
    assert len(KeyFile(file).known()) == 1


async def test_who_never_ends_a_refresh_is_not_waited_for_for_ever(store: Store, file: Path, clock: FakeClock) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal, 2)
    await store.lease("acc_1", "a gateway", clock.time() + 1e9, clock.time())
    with pytest.raises(GatewayError, match="1 accounts are being refreshed") as refused:
        await rotated(store, seal, clock, replace(AT_ONCE, most=0))
    assert refused.value.kind is Kind.TIMED_OUT
    assert len(KeyFile(file).known()) == 2
    assert await opened(store, opened_seal(None, file)) == [tokens(0), tokens(1)]


async def test_an_account_that_was_added_with_the_old_key_meanwhile_is_found(
    store: Store, file: Path, clock: FakeClock
) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal, 1)
    late = seal.close(tokens(1), "acc_1")
    rotating = asyncio.create_task(rotated(store, seal, clock, replace(AT_ONCE, settle=0.2)))
    while (await store.sealed("acc_0") or Sealed(b"", "")).version != 1:
        await asyncio.sleep(0.001)
    await store.add_account(account(1), late)
    assert await rotating == 2
    assert await opened(store, opened_seal(None, file)) == [tokens(0), tokens(1)]


async def test_an_account_that_no_key_opens_keeps_the_old_keys_and_is_told(
    store: Store, file: Path, clock: FakeClock
) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal, 1)
    await store.add_account(account(1), Seal(SaidKeys(Secret(new_key().written()), "X")).close(tokens(1), "acc_1"))
    await store.add_account(account(2), seal.close(tokens(2), "acc_2"))
    with pytest.raises(GatewayError, match="account acc_1 are sealed with the key") as refused:
        await rotated(store, seal, clock, AT_ONCE)
    assert refused.value.kind is Kind.CREDENTIAL_REJECTED
    first, _ = KeyFile(file).known()
    assert [sealed.key == first.id for number in (0, 2) if (sealed := await store.sealed(f"acc_{number}"))] == [
        True
    ] * 2
    await store.drop_account("acc_1")
    assert await rotated(store, seal, clock, AT_ONCE) == 2
    assert len(KeyFile(file).known()) == 1


async def test_two_who_begin_at_once_do_not_lose_each_others_keys(store: Store, file: Path, clock: FakeClock) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal)
    done = await asyncio.gather(
        *(rotated(store, opened_seal(None, file), clock, AT_ONCE) for _ in range(3)), return_exceptions=True
    )
    refused = [one for one in done if isinstance(one, GatewayError)]
    assert len(refused) == 2
    assert all("somebody else is changing the key file" in one.message for one in refused)
    assert await opened(store, opened_seal(None, file)) == [tokens(number) for number in range(5)]


async def test_an_account_that_is_dropped_meanwhile_is_no_hindrance(store: Store, file: Path, clock: FakeClock) -> None:
    seal = opened_seal(None, file)
    await fill(store, seal, 3)

    class Dropping:
        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        async def sealed_otherwise(self, key: str, after: str, limit: int) -> object:
            found = await store.sealed_otherwise(key, after, limit)
            await store.drop_account("acc_1")
            return found

    seal.source.put((new_key(), *seal.source.known()))
    assert await resealed(Dropping(), seal, clock, AT_ONCE) == 2


async def test_nothing_of_the_tokens_is_in_any_file(store: Store, file: Path, clock: FakeClock) -> None:
    seal = opened_seal(None, file)
    planted = Tokens(
        access=Secret("planted-access"),
        refresh=Secret("planted-refresh"),
        id_token=Secret("planted-id"),
        service_account=Secret('{"private_key":"planted-service"}'),
    )
    await store.add_account(account(0), seal.close(planted, "acc_0"))
    await store.replace_tokens(account(0), seal.close(planted, "acc_0", 1))
    await rotated(store, seal, clock, AT_ONCE)
    names = {one.name for one in file.parent.iterdir()}
    assert {"isthmus.db", "isthmus.db-wal", "accounts.key"} <= names
    assert not [name for name in names if b"planted" in (file.parent / name).read_bytes()]
    assert b"user-0@example.com" in (file.parent / "isthmus.db-wal").read_bytes()
