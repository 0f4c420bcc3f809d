"""What is kept for good beside use, by the same questions to SQLite and to a real PostgreSQL server."""

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import OnLoss
from isthmus.engine.records import Allowance, ClientKey, Configuration, Deed, Period, Permits, Records
from isthmus.store.store import Store

PLAIN = ClientKey(id="ck_1", name="alice", digest=b"\x00\xffd1", hint="sk-i…f1", created_at=1_700_000_000.25)
FULL = ClientKey(
    id="ck_2",
    name="bob's “laptop”",
    digest=b"d2",
    hint="sk-i…f2",
    created_at=1_700_000_001.5,
    earlier=((b"d0", 1_700_000_500.0), (b"\xfe", 1_700_000_600.0)),
    owner="bob@example.com",
    team="red",
    tags=("one", "two"),
    metadata={"cost-center": "42"},
    expires_at=1_800_000_000.0,
    disabled=True,
    permits=Permits(models=("gpt-*",), providers=("openai",), keys=("openai/key-1",), operations=("chat",)),
    allowance=Allowance(requests_per_minute=5, concurrency=2, budgets={Period.DAY: 1_000_000, Period.ALL: 5}),
    on_loss=OnLoss.REFUSE,
    believed=True,
)
DEED = Deed(
    at=1_700_000_000.0,
    who="root",
    role="owner",
    peer="127.0.0.1",
    what="POST /admin/keys",
    on="alice",
    outcome="done",
    detail="created",
)


def is_a_store(store: Store) -> Records:
    """It implements the engine's port; for the type checker."""
    return store


async def test_a_client_key_is_read_as_it_was_put(store: Store) -> None:
    await store.put_client_key(PLAIN)
    await store.put_client_key(FULL)
    assert await store.client_keys() == (PLAIN, FULL)


async def test_a_client_key_is_put_in_place_of_the_one_with_its_id(store: Store) -> None:
    await store.put_client_key(PLAIN)
    changed = replace(FULL, id=PLAIN.id)
    await store.put_client_key(changed)
    assert await store.client_keys() == (changed,)


async def test_two_client_keys_never_have_one_name(store: Store) -> None:
    await store.put_client_key(PLAIN)
    with pytest.raises(GatewayError, match="another client key has the name 'alice'") as refused:
        await store.put_client_key(replace(FULL, name="alice"))
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "name")
    assert await store.client_keys() == (PLAIN,)


async def test_a_dropped_client_key_is_gone(store: Store) -> None:
    await store.put_client_key(PLAIN)
    await store.drop_client_key(PLAIN.id)
    await store.drop_client_key("ck_nobody")
    assert await store.client_keys() == ()


async def test_every_change_of_a_client_key_raises_their_version(store: Store) -> None:
    seen = [await store.client_keys_version()]
    await store.put_client_key(PLAIN)
    seen.append(await store.client_keys_version())
    await store.put_client_key(replace(PLAIN, disabled=True))
    seen.append(await store.client_keys_version())
    await store.drop_client_key(PLAIN.id)
    seen.append(await store.client_keys_version())
    assert seen == sorted(set(seen))


async def test_what_changed_no_client_key_leaves_their_version(store: Store) -> None:
    await store.put_client_key(PLAIN)
    before = await store.client_keys_version()
    await store.drop_client_key("ck_nobody")
    with pytest.raises(GatewayError):
        await store.put_client_key(replace(FULL, name="alice"))
    assert await store.client_keys_version() == before


async def test_a_name_that_no_text_can_hold_is_refused(store: Store) -> None:
    with pytest.raises(GatewayError) as refused:
        await store.put_client_key(replace(PLAIN, name="half \ud800"))
    assert refused.value.kind is Kind.INVALID


async def test_deeds_are_told_the_latest_first(store: Store) -> None:
    later = replace(DEED, at=DEED.at + 1, on="bob")
    for deed in (later, DEED):
        await store.note(deed)
    assert await store.deeds() == (later, DEED)
    assert await store.deeds(limit=1) == (later,)
    assert await store.deeds(before=later.at) == (DEED,)


async def test_deeds_of_one_moment_are_told_the_latest_first(store: Store) -> None:
    for on in ("first", "second", "third"):
        await store.note(replace(DEED, on=on))
    assert [deed.on for deed in await store.deeds()] == ["third", "second", "first"]


async def test_a_configuration_is_kept_with_its_text(store: Store, clock: FakeClock) -> None:
    number = await store.keep_configuration("root", "routes: {}\n", "a note")
    kept = Configuration(number=number, at=clock.time(), who="root", text="routes: {}\n", note="a note")
    assert await store.configuration(number) == kept
    assert await store.configurations() == (replace(kept, text=""),)
    assert await store.configuration(number + 1) is None


async def test_the_latest_configuration_is_not_kept_twice(store: Store) -> None:
    first = await store.keep_configuration("root", "one")
    assert await store.keep_configuration("alice", "one") == first
    second = await store.keep_configuration("root", "two")
    third = await store.keep_configuration("root", "one")
    assert first < second < third
    assert [one.number for one in await store.configurations(limit=2)] == [third, second]
