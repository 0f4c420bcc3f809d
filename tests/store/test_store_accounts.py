"""Accounts are kept as they were put, their tokens only in place of those they came from; in SQLite and PostgreSQL."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, text

from bench.postgres_server import PostgresServer
from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountRecords, AccountState, Sealed, UsedWindow
from isthmus.store import database as databases
from isthmus.store.accounts import MOST
from isthmus.store.address import Address, address_of
from isthmus.store.database import open_database
from isthmus.store.peek import may_hold_accounts
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.stores import PATIENT

NOW = 1_700_000_000.0
PLAIN = Account(id="acc_1", issuer="codex", name="alice@example.com", added_at=NOW)
FULL = Account(
    id="acc_2",
    issuer="codex",
    name="bob's “own”",
    email="bob@example.com",
    subject="user-2",
    plan="plus",
    added_at=NOW + 1,
    expires_at=NOW + 3600.5,
    refreshed_at=NOW + 2,
    used_at=NOW + 3,
    state=AccountState.REVOKED,
    why="signed out elsewhere",
    active=True,
    concurrency=3,
    models=("gpt-*", "o3"),
    windows=(UsedWindow("5h", 0.25, NOW + 18_000, 18_000.0), UsedWindow("weekly", 1.0)),
    windows_at=NOW + 4,
    source="signed in",
)
SEALED = Sealed(b"\x00\xff sealed", "key-a")


def is_where_accounts_are_kept(store: Store) -> AccountRecords:
    """It implements the engine's port; for the type checker."""
    return store


def anew(version: int, key: str = "key-a") -> Sealed:
    return Sealed(b"sealed %d" % version, key, version)


async def test_an_account_is_read_as_it_was_added_without_its_tokens(store: Store) -> None:
    await store.add_account(FULL, SEALED)
    await store.add_account(PLAIN, SEALED)
    assert await store.accounts() == (PLAIN, FULL)


async def test_tokens_are_read_as_they_were_sealed(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    assert await store.sealed(PLAIN.id) == SEALED
    assert await store.sealed("acc_other") is None


async def test_two_accounts_of_an_issuer_never_have_one_name(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.add_account(FULL, SEALED)
    words = "another account of codex has the name 'alice@example.com'"
    for change in (store.add_account(replace(PLAIN, id="acc_3"), SEALED), store.change_account(with_name_of_plain())):
        with pytest.raises(GatewayError, match=words) as refused:
            await change
        assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "name")
    assert await store.sealed("acc_3") is None


def with_name_of_plain() -> Account:
    return replace(FULL, name=PLAIN.name)


async def test_accounts_of_two_issuers_may_have_one_name(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.add_account(replace(PLAIN, id="acc_3", issuer="other"), SEALED)
    assert len(await store.accounts()) == 2


async def test_an_account_is_changed_but_not_its_tokens(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    changed = replace(FULL, id=PLAIN.id)
    await store.change_account(changed)
    assert await store.accounts() == (changed,)
    assert await store.sealed(PLAIN.id) == SEALED


async def test_an_account_that_is_gone_is_not_changed_back(store: Store) -> None:
    await store.change_account(PLAIN)
    assert await store.accounts() == ()


async def test_nothing_is_left_of_an_account_that_is_dropped(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.drop_account(PLAIN.id)
    assert (await store.accounts(), await store.sealed(PLAIN.id)) == ((), None)


async def test_the_version_rises_with_changes_and_with_nothing_else(store: Store) -> None:
    seen = [await store.accounts_version()]
    for change in (
        lambda: store.add_account(PLAIN, SEALED),
        lambda: store.change_account(replace(PLAIN, name="bob")),
        lambda: store.replace_tokens(PLAIN, anew(1)),
        lambda: store.reseal({PLAIN.id: anew(2)}, NOW),
        lambda: store.drop_account(PLAIN.id),
    ):
        await change()
        seen.append(await store.accounts_version())
    assert seen == [0, 1, 2, 3, 4, 5]
    await store.add_account(PLAIN, SEALED)
    await store.note_accounts([FULL])
    await store.lease(PLAIN.id, "me", NOW + 1, NOW)
    await store.release(PLAIN.id, "me")
    await store.replace_tokens(PLAIN, anew(7))
    await store.change_account(FULL)
    await store.drop_account(FULL.id)
    await store.reseal({PLAIN.id: anew(7)}, NOW)
    assert await store.accounts_version() == 6


async def test_what_was_noted_is_read(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.add_account(replace(FULL, windows=(), windows_at=None, used_at=None), SEALED)
    noted = replace(PLAIN, used_at=NOW + 9, windows=FULL.windows, windows_at=NOW + 8)
    await store.note_accounts([FULL, noted, replace(PLAIN, id="acc_gone")])
    assert await store.accounts() == (noted, FULL)


async def test_only_use_and_windows_are_noted(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.note_accounts([replace(FULL, id=PLAIN.id)])
    (found,) = await store.accounts()
    assert found == replace(PLAIN, used_at=FULL.used_at, windows=FULL.windows, windows_at=FULL.windows_at)


async def test_what_another_instance_saw_later_stays(store: Store) -> None:
    await store.add_account(FULL, SEALED)
    older = replace(FULL, used_at=NOW, windows=(UsedWindow("5h", 0.1),), windows_at=NOW)
    await store.note_accounts([older])
    await store.note_accounts([replace(older, used_at=None, windows_at=None)])
    assert await store.accounts() == (FULL,)


async def test_a_lease_keeps_others_away_until_it_ends_or_is_given_back(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    assert await store.lease(PLAIN.id, "me", NOW + 60, NOW)
    assert not await store.lease(PLAIN.id, "you", NOW + 60, NOW + 59)
    assert await store.lease(PLAIN.id, "me", NOW + 90, NOW + 59)
    assert await store.lease(PLAIN.id, "you", NOW + 150, NOW + 90)
    await store.release(PLAIN.id, "me")
    assert not await store.lease(PLAIN.id, "me", NOW + 150, NOW + 91)
    await store.release(PLAIN.id, "you")
    assert await store.lease(PLAIN.id, "me", NOW + 150, NOW + 91)


async def test_nobody_leases_an_account_that_is_gone(store: Store) -> None:
    assert not await store.lease("acc_gone", "me", NOW + 60, NOW)


async def test_of_many_who_ask_at_once_one_has_the_lease(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    granted = await asyncio.gather(*(store.lease(PLAIN.id, f"me-{one}", NOW + 60, NOW) for one in range(20)))
    assert granted.count(True) == 1


async def test_tokens_are_replaced_only_by_those_that_came_from_them(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    told = replace(PLAIN, email="alice@example.com", plan="pro", expires_at=NOW + 99, refreshed_at=NOW, source="here")
    assert await store.replace_tokens(told, anew(1))
    assert not await store.replace_tokens(replace(told, plan="free"), anew(1))
    assert not await store.replace_tokens(replace(told, plan="free"), anew(3))
    assert await store.sealed(PLAIN.id) == anew(1)
    assert await store.accounts() == (told,)


async def test_of_many_who_replace_the_same_tokens_one_does(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    done = await asyncio.gather(*(store.replace_tokens(PLAIN, anew(1)) for _ in range(20)))
    assert done.count(True) == 1


async def test_new_tokens_leave_alone_what_people_have_changed_meanwhile(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    changed = replace(PLAIN, name="mine", state=AccountState.DISABLED, why="for now", concurrency=2, models=("o3",))
    await store.change_account(changed)
    assert await store.replace_tokens(replace(PLAIN, expires_at=NOW + 99), anew(1))
    assert await store.accounts() == (replace(changed, expires_at=NOW + 99),)


async def test_new_tokens_make_a_revoked_account_ready(store: Store) -> None:
    await store.add_account(FULL, SEALED)
    ready = replace(FULL, state=AccountState.READY, why="")
    assert await store.replace_tokens(ready, anew(1))
    assert await store.accounts() == (ready,)


async def test_tokens_of_an_account_that_is_gone_are_not_kept(store: Store) -> None:
    assert not await store.replace_tokens(PLAIN, anew(1))
    assert await store.sealed(PLAIN.id) is None


async def test_tokens_that_are_being_refreshed_are_not_sealed_anew(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.add_account(FULL, SEALED)
    await store.lease(PLAIN.id, "me", NOW + 60, NOW)
    both = {PLAIN.id: anew(1, "key-b"), FULL.id: anew(1, "key-b"), "acc_gone": anew(1, "key-b")}
    assert await store.reseal(both, NOW) == 1
    assert [await store.sealed(one) for one in (PLAIN.id, FULL.id)] == [SEALED, anew(1, "key-b")]
    assert await store.reseal(both, NOW + 60) == 1


async def test_those_that_are_sealed_with_another_key_are_found(store: Store) -> None:
    await store.add_account(PLAIN, SEALED)
    await store.add_account(FULL, Sealed(b"x", "key-b"))
    assert await store.sealed_otherwise("key-a") == (FULL.id,)
    assert await store.sealed_otherwise("key-c") == (PLAIN.id, FULL.id)
    assert await store.sealed_otherwise("key-c", limit=1) == (PLAIN.id,)
    assert await store.sealed_otherwise("key-c", PLAIN.id, limit=MOST * 9) == (FULL.id,)


async def test_tokens_are_on_the_disk_when_they_are_said_to_be(address: Address) -> None:
    database = open_database(address)
    try:
        assert await database.write_durably(waits_for_the_disk)
        if address.kind == "sqlite":
            assert not await database.write(waits_for_the_disk)
            assert await database.write_durably(waits_for_the_disk)
    finally:
        await database.close()


async def test_a_server_that_does_not_wait_for_its_disk_does_for_tokens(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    address = address_of(postgres.new_database(), tmp_path)
    database = open_database(address)
    try:
        await database.write(lambda one: one.execute(text("ALTER ROLE isthmus SET synchronous_commit = off")))
    finally:
        await database.close()
    database = open_database(address)
    try:
        assert not await database.write(waits_for_the_disk)
        assert await database.write_durably(waits_for_the_disk)
        assert not await database.write(waits_for_the_disk)
    finally:
        await database.write(lambda one: one.execute(text("ALTER ROLE isthmus RESET synchronous_commit")))
        await database.close()


def waits_for_the_disk(connection: Connection) -> bool:
    """Does the transaction that is open, when it is committed?"""
    if connection.dialect.name == databases.POSTGRESQL:
        return connection.execute(text("SHOW synchronous_commit")).scalar_one() != "off"
    return connection.execute(text("PRAGMA synchronous")).scalar_one() == 2


async def test_the_file_tells_whether_there_may_be_accounts(tmp_path: Path, clock: FakeClock) -> None:
    address = address_of(None, tmp_path)
    assert not may_hold_accounts(address)
    async with open_store(address, clock, KEEP, PATIENT) as store:
        await store.accounts()
        assert not may_hold_accounts(address)
        await store.add_account(PLAIN, SEALED)
        assert may_hold_accounts(address)
    with closing(sqlite3.connect(tmp_path / "isthmus.db")) as file:
        file.execute("DROP TABLE accounts")
    assert may_hold_accounts(address)
