"""Keys that the gateway gave out: taken as the store says, and what is taken when the store cannot be asked."""

import asyncio

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from fakes.records import FakeRecords
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import identify
from isthmus.engine.clients import ANYONE, Auth, Client, Roll
from isthmus.engine.keyring import BETWEEN, EVERY, MOST, PACE, Keyring, digest_of, hint_of, new_id, new_text
from isthmus.engine.live import Live
from isthmus.engine.records import Allowance, ClientKey, Permits
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.limits import Limit, Measure

TRUST = 300.0
FILED = {digest_of("of-the-file"): Client("filed")}


def key_of(name: str, *earlier: tuple[str, float], disabled: bool = False, believed: bool = False) -> ClientKey:
    """The key whose text is its name."""
    return ClientKey(
        id=f"key_{name}",
        name=name,
        digest=digest_of(name),
        hint=hint_of(name),
        created_at=0.0,
        earlier=tuple((digest_of(text), until) for text, until in earlier),
        disabled=disabled,
        believed=believed,
    )


class Ring:
    """A keyring over a scripted store, and whoever knocks."""

    def __init__(self, *keys: ClientKey, snapshot: Snapshot | None = None, empty: bool = False) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords(*keys)
        self.live = Live(snapshot or Snapshot(providers={}))
        self.ring = Keyring(self.live, self.records, self.clock, trust=TRUST, empty=empty)

    def knock(self, text: str | None) -> Client | Kind:
        """Who is let in with this key, or the kind of the refusal."""
        try:
            return identify(text, self.live.take().snapshot, self.clock.time())
        except GatewayError as error:
            return error.kind

    async def out_of_reach(self, seconds: float) -> None:
        self.records.gone = True
        self.clock.move(seconds)
        await self.ring.look()


async def test_a_key_that_was_given_out_tells_who_is_calling() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    assert ring.knock("alice") == Client("alice", id="key_alice")
    assert ring.knock("mallory") is Kind.UNAUTHENTICATED
    assert ring.knock(None) is Kind.UNAUTHENTICATED


async def test_without_any_key_nobody_is_asked_for_one() -> None:
    ring = Ring()
    await ring.ring.refresh()
    assert ring.knock(None) is ANYONE


async def test_where_a_key_is_required_nobody_comes_in_without_one() -> None:
    ring = Ring(snapshot=Snapshot(providers={}, auth=Auth.REQUIRED))
    await ring.ring.refresh()
    assert ring.knock(None) is Kind.UNAUTHENTICATED
    assert ring.knock("any") is Kind.UNAUTHENTICATED


async def test_where_keys_are_off_none_is_looked_at() -> None:
    ring = Ring(key_of("alice"), snapshot=Snapshot(providers={}, auth=Auth.OFF))
    await ring.ring.refresh()
    assert ring.knock("alice") is ANYONE
    assert ring.knock("mallory") is ANYONE


async def test_before_the_store_is_heard_an_unknown_key_is_not_called_wrong() -> None:
    ring = Ring(key_of("alice"), snapshot=Snapshot(providers={}, clients=FILED))
    assert ring.knock("alice") is Kind.STORE_GONE
    assert ring.knock("of-the-file") == Client("filed")


async def test_before_the_store_is_heard_nobody_comes_in_without_a_key() -> None:
    ring = Ring()
    assert ring.knock(None) is Kind.STORE_GONE
    assert Ring(snapshot=Snapshot(providers={}, clients=FILED)).knock(None) is Kind.UNAUTHENTICATED


async def test_without_any_key_a_store_that_is_gone_costs_nobody_a_request() -> None:
    ring = Ring(empty=True)
    await ring.out_of_reach(TRUST + 1)
    assert ring.knock(None) is ANYONE
    assert ring.knock("any") is ANYONE


async def test_where_a_key_is_required_a_store_that_held_none_may_hold_one_by_now() -> None:
    ring = Ring(empty=True, snapshot=Snapshot(providers={}, auth=Auth.REQUIRED))
    assert ring.knock("new-key") is Kind.UNAUTHENTICATED
    await ring.out_of_reach(TRUST + 1)
    assert ring.knock("new-key") is Kind.STORE_GONE


async def test_when_no_key_is_relied_on_nobody_comes_in_without_one() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    await ring.out_of_reach(TRUST + 1)
    assert ring.knock(None) is Kind.STORE_GONE


async def test_a_store_that_is_known_to_be_empty_need_not_be_heard() -> None:
    ring = Ring(empty=True)
    assert ring.knock(None) is ANYONE


async def test_a_store_that_cannot_be_heard_at_first_is_said_to_be_gone() -> None:
    ring = Ring(key_of("alice"))
    await ring.out_of_reach(1.0)
    assert ring.knock("alice") is Kind.STORE_GONE


async def test_the_log_says_once_why_nobody_comes_in(caplog: pytest.LogCaptureFixture) -> None:
    ring = Ring(key_of("alice"))
    await ring.out_of_reach(1.0)
    assert "only those of the configuration are taken: the store cannot be reached" in caplog.text
    ring.ring.first.set()
    caplog.clear()
    await ring.out_of_reach(1.0)
    assert caplog.text == ""


async def test_known_keys_outlive_the_store_for_as_long_as_they_are_trusted() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    await ring.out_of_reach(TRUST)
    assert ring.knock("alice") == Client("alice", id="key_alice")
    assert ring.knock("mallory") is Kind.UNAUTHENTICATED


async def test_after_that_only_believed_keys_and_those_of_the_file_are_taken() -> None:
    ring = Ring(key_of("alice"), key_of("vital", believed=True), snapshot=Snapshot(providers={}, clients=FILED))
    await ring.ring.refresh()
    await ring.out_of_reach(TRUST + 1)
    assert ring.knock("alice") is Kind.STORE_GONE
    assert ring.knock("new-key") is Kind.STORE_GONE
    assert ring.knock("vital") == Client("vital", id="key_vital")
    assert ring.knock("of-the-file") == Client("filed")
    assert "too long ago" in ring.ring.state


async def test_a_store_that_is_back_is_believed_at_once() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    await ring.out_of_reach(TRUST + 1)
    ring.records.gone = False
    await ring.ring.look()
    assert ring.knock("alice") == Client("alice", id="key_alice")
    assert ring.knock("mallory") is Kind.UNAUTHENTICATED
    assert ring.ring.state == "1 keys"


async def test_keys_are_read_again_only_when_one_has_changed() -> None:
    ring = Ring(key_of("alice"))
    for _ in range(5):
        await ring.ring.look()
    assert ring.records.asked == {"client_keys_version": 5, "client_keys": 1}


async def test_what_another_instance_changed_is_seen_at_the_next_look() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    await ring.records.put_client_key(key_of("bob"))
    await ring.records.drop_client_key("key_alice")
    await ring.ring.look()
    assert ring.knock("bob") == Client("bob", id="key_bob")
    assert ring.knock("alice") is Kind.UNAUTHENTICATED


async def test_a_key_that_is_shown_before_it_is_known_is_looked_for_at_once() -> None:
    ring = Ring()
    await ring.ring.refresh()
    await ring.records.put_client_key(key_of("isk_new"))
    assert await ring.ring.seek("isk_new")
    assert ring.knock("isk_new") == Client("isk_new", id="key_isk_new")


async def test_all_who_show_a_new_key_at_the_same_moment_are_let_in() -> None:
    ring = Ring()
    await ring.ring.refresh()
    await ring.records.put_client_key(key_of("isk_new"))
    before = ring.records.asked["client_keys_version"]
    assert await asyncio.gather(*(ring.ring.seek("isk_new") for _ in range(8))) == [True] * 8
    assert ring.records.asked["client_keys_version"] == before + 1


async def test_whoever_shows_wrong_keys_has_the_store_do_next_to_nothing() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    before = dict(ring.records.asked)
    for text in ("wrong", None, "sk-wrong"):
        assert not await ring.ring.seek(text)
    assert ring.records.asked == before
    for _ in range(100):
        assert not await ring.ring.seek("isk_wrong")
        ring.clock.move(BETWEEN / 10)
    assert ring.records.asked["client_keys_version"] - before["client_keys_version"] <= 11
    assert ring.records.asked["client_keys"] == before["client_keys"]


async def test_a_key_is_not_found_in_a_store_that_is_gone() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    ring.records.gone = True
    assert not await ring.ring.seek("isk_new")


async def test_what_is_changed_here_holds_at_once() -> None:
    ring = Ring()
    await ring.ring.refresh()
    await ring.ring.add(key_of("alice"))
    assert ring.knock("alice") == Client("alice", id="key_alice")
    await ring.ring.change(key_of("alice", disabled=True))
    assert ring.knock("alice") is Kind.UNAUTHENTICATED
    await ring.ring.remove("key_alice")
    assert ring.knock(None) is ANYONE


async def test_a_change_that_the_store_did_not_take_changes_nothing() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    ring.records.gone = True
    with pytest.raises(GatewayError) as caught:
        await ring.ring.add(key_of("bob"))
    assert caught.value.kind is Kind.STORE_GONE
    assert ring.knock("bob") is Kind.UNAUTHENTICATED
    assert [key.name for key in ring.ring.all()] == ["alice"]


async def test_two_keys_of_one_name_are_refused() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    with pytest.raises(GatewayError) as caught:
        await ring.ring.add(replace(key_of("bob"), name="alice"))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, "name")


async def test_there_are_only_so_many_keys() -> None:
    ring = Ring()
    await ring.ring.refresh()
    ring.ring._keys = dict.fromkeys(map(str, range(MOST)), key_of("one"))
    with pytest.raises(GatewayError, match="as many as may be"):
        await ring.ring.add(key_of("one-more"))


async def test_a_rotated_key_is_taken_until_its_time_is_over() -> None:
    ring = Ring()
    now = ring.clock.time()
    await ring.ring.add(key_of("new", ("old", now + 60)))
    await ring.ring.refresh()
    assert ring.knock("old") == Client("new", id="key_new", ends=now + 60)
    assert ring.knock("new") == Client("new", id="key_new")
    ring.clock.move(60)
    assert ring.knock("old") is Kind.UNAUTHENTICATED
    assert ring.knock("new") == Client("new", id="key_new")


async def test_a_key_that_ends_takes_those_before_it_along() -> None:
    ring = Ring()
    now = ring.clock.time()
    await ring.ring.refresh()
    await ring.ring.add(replace(key_of("new", ("old", now + 60)), expires_at=now + 10))
    ring.clock.move(10)
    assert ring.knock("old") is Kind.UNAUTHENTICATED
    assert ring.knock("new") is Kind.UNAUTHENTICATED


async def test_a_rotation_that_is_rotated_again_forgets_no_key_that_is_gone() -> None:
    ring = Ring()
    now = ring.clock.time()
    await ring.ring.refresh()
    await ring.ring.add(key_of("first"))
    await ring.ring.change(replace(key_of("second", ("first", now + 60)), id="key_first"))
    await ring.ring.change(replace(key_of("third", ("second", now + 60)), id="key_first"))
    assert ring.knock("first") is Kind.UNAUTHENTICATED
    assert ring.knock("second") == Client("third", id="key_first", ends=now + 60)


async def test_a_key_says_why_it_is_not_taken() -> None:
    ring = Ring()
    await ring.ring.refresh()
    await ring.ring.add(key_of("off", disabled=True))
    await ring.ring.add(replace(key_of("late"), expires_at=1_600_000_000.0))
    with pytest.raises(GatewayError, match="switched off"):
        identify("off", ring.live.take().snapshot, ring.clock.time())
    with pytest.raises(GatewayError, match="since 2020-09-13T12:26:40Z"):
        identify("late", ring.live.take().snapshot, ring.clock.time())


async def test_what_a_key_allows_becomes_limits_of_its_client() -> None:
    ring = Ring(replace(key_of("alice"), allowance=Allowance(requests_per_minute=5, concurrency=2)))
    await ring.ring.refresh()
    assert ring.live.take().snapshot.allowances == {
        "client:alice": (
            Limit("client:alice", Measure.REQUESTS, 5, 60, 12),
            Limit("client:alice", Measure.RUNNING, 2),
        )
    }
    assert ring.live.take().shares is not None
    await ring.ring.remove("key_alice")
    assert ring.live.take().snapshot.allowances == {}
    assert ring.live.take().shares is None


async def test_a_client_is_known_with_its_team_and_what_it_may_use() -> None:
    permits = Permits(models=("gpt-*",))
    ring = Ring(replace(key_of("alice"), team="red", permits=permits))
    await ring.ring.refresh()
    assert ring.knock("alice") == Client("alice", id="key_alice", team="red", permits=permits)


async def test_clients_outlive_a_swap_of_the_configuration_and_what_providers_list() -> None:
    ring = Ring(key_of("alice"))
    await ring.ring.refresh()
    ring.live.swap(Snapshot(providers={}, clients=FILED))
    ring.live.learn({})
    assert ring.knock("alice") == Client("alice", id="key_alice")
    assert ring.knock("of-the-file") == Client("filed")


async def test_of_two_owners_of_one_key_the_configurations_holds() -> None:
    ring = Ring(key_of("of-the-file"), snapshot=Snapshot(providers={}, clients=FILED))
    await ring.ring.refresh()
    assert ring.knock("of-the-file") == Client("filed")


def test_a_roll_without_clients_leaves_the_configuration_as_it_is() -> None:
    snapshot = Snapshot(providers={})
    live = Live(snapshot)
    live.enroll(Roll(whole=False))
    live.enroll(Roll())
    assert live.take().snapshot is snapshot


async def test_it_looks_again_and_again_and_says_when_it_has_looked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, slept = Ring(key_of("alice")), []

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    monkeypatch.setattr("isthmus.engine.keyring.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await ring.ring.run()
    assert ring.ring.first.is_set()
    assert slept == [EVERY] * 3


async def test_who_has_read_many_keys_looks_again_the_later(monkeypatch: pytest.MonkeyPatch) -> None:
    ring, slept = Ring(*(key_of(f"name-{number}") for number in range(2 * PACE))), []

    async def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
        if len(slept) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr("isthmus.engine.keyring.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await ring.ring.run()
    assert slept == [2.0, EVERY]


def test_a_new_key_has_256_bits_in_43_characters() -> None:
    text = new_text()
    assert (text[:4], len(text)) == ("isk_", 47)
    assert len({new_text() for _ in range(100)}) == 100
    assert new_id() != new_id()


def test_a_hint_shows_eight_characters_in_front_and_four_behind() -> None:
    assert hint_of("isk_abcdefghijklmnop") == "isk_abcd...mnop"
