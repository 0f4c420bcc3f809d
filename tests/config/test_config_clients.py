"""The client keys of the file: who they belong to, what they may use and how much, and when a key is asked for."""

from typing import Any

import pytest

from isthmus.config.clients import read_time
from isthmus.config.compile import compile_config
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import identify
from isthmus.engine.clients import ANYONE, Auth
from isthmus.engine.records import Allowance, Period, Permits
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.limits import Measure
from support.configured import config_of, problems_of

ALICE = """
providers:
  openai:
    api-keys: [sk-first-0123456789, {key: sk-second-0123456789, name: night}]
client-keys:
  - name: alice
    key: key-0123456789
    team: red
    owner: Alice Doe
    tags: [prod]
    models: [gpt-*]
    providers: [openai]
    keys: [openai/night, openai/key-1]
    operations: [chat, count]
    requests-per-minute: 5
    budgets: {day: 1, week: 2.5, month: 3, all: 100}
    expires: 2030-01-31
  - key-1234567890
"""
LAST = 1_896_048_000.0
"""When that day begins."""


def snapshot_of(text: str) -> Snapshot:
    return compile_config(config_of(text))


def test_a_key_of_the_file_is_told_like_one_that_was_given_out() -> None:
    alice, other = snapshot_of(ALICE).client_keys
    assert (alice.id, alice.name, alice.owner, alice.team, alice.tags) == (
        "file:alice",
        "alice",
        "Alice Doe",
        "red",
        ("prod",),
    )
    assert alice.permits == Permits(
        models=("gpt-*",), providers=("openai",), keys=("openai/night", "openai/key-1"), operations=("chat", "count")
    )
    assert alice.allowance == Allowance(
        requests_per_minute=5,
        budgets={Period.DAY: 1_000_000, Period.WEEK: 2_500_000, Period.MONTH: 3_000_000, Period.ALL: 100_000_000},
    )
    assert alice.hint == ""
    assert (other.name, other.permits, other.allowance) == ("client-2", Permits(), Allowance())


def test_its_client_is_held_to_what_is_said_of_it() -> None:
    client = identify("key-0123456789", snapshot_of(ALICE), LAST - 1)
    assert (client.name, client.team, client.owner) == ("alice", "red", "alice")
    assert client.permits is not None
    assert client.permits.models == ("gpt-*",)
    assert identify("key-1234567890", snapshot_of(ALICE), LAST).permits is None


def test_a_key_of_the_file_ends_when_the_file_says() -> None:
    with pytest.raises(GatewayError, match="since 2030-01-31T00:00:00Z"):
        identify("key-0123456789", snapshot_of(ALICE), LAST)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2030-01-31", LAST),
        ("2030-01-31T00:00:00", LAST),
        ("2030-01-31T01:00:00Z", LAST + 3600),
        ("2030-01-31T01:00:00+01:00", LAST),
    ],
)
def test_a_time_is_read_as_utc_where_it_does_not_say(text: str, at: float) -> None:
    assert read_time(text) == at


def test_a_budget_for_a_day_may_be_said_in_two_ways() -> None:
    text = "client-keys: [{{key: key-0123456789, {}}}]"
    assert (
        snapshot_of(text.format("dollars-per-day: 2")).allowances
        == snapshot_of(text.format("budgets: {day: 2}")).allowances
    )
    (limit,) = snapshot_of(text.format("budgets: {day: 2}")).allowances["client:client-1"]
    assert (limit.measure, limit.most) == (Measure.MICRODOLLARS, 2_000_000)


@pytest.mark.parametrize(
    ("said", "auth"),
    [
        ("", Auth.AUTO),
        ("client-keys: [key-0123456789]", Auth.AUTO),
        ("auth: required", Auth.REQUIRED),
        ("auth: off", Auth.OFF),
        ("listeners: [{host: 0.0.0.0}]\nclient-keys: [key-0123456789]", Auth.REQUIRED),
        ("listeners: [{host: 0.0.0.0}]\nauth: required", Auth.REQUIRED),
        ("listeners: [{host: 0.0.0.0}]\ninsecure: true", Auth.AUTO),
        ("listeners: [{host: 0.0.0.0}]\nauth: off\ninsecure: true", Auth.OFF),
    ],
)
def test_a_key_is_asked_for_where_other_machines_can_connect(said: str, auth: Auth) -> None:
    assert snapshot_of(said).auth is auth


def test_where_keys_are_off_those_of_the_file_are_not_looked_at() -> None:
    snapshot = snapshot_of("auth: off\nclient-keys: [key-0123456789]")
    assert identify("key-0123456789", snapshot, 0.0) is ANYONE
    assert identify(None, snapshot, 0.0) is ANYONE
    assert len(snapshot.client_keys) == 1


def test_where_a_key_is_required_and_none_known_nobody_comes_in() -> None:
    with pytest.raises(GatewayError) as caught:
        identify("any", snapshot_of("auth: required"), 0.0)
    assert caught.value.kind is Kind.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("auth: required\nstore: {enabled: false}", "auth", "lets nobody in"),
        ("auth: off\nlisteners: [{host: 0.0.0.0}]\nclient-keys: [key-0123456789]", "listeners[0].host", "insecure"),
        ("client-keys: [{key: key-0123456789, expires: soon}]", "client-keys[0].expires", "must be a date"),
        ("client-keys: [{key: key-0123456789, providers: [opnai]}]", "client-keys[0].providers[0]", "openai"),
        ("client-keys: [{key: key-0123456789, keys: [openai/day]}]", "client-keys[0].keys[0]", "not a provider's key"),
        ("client-keys: [{key: key-0123456789, operations: [dance]}]", "client-keys[0].operations[0]", "chat, embed"),
        (
            "client-keys: [{key: key-0123456789, dollars-per-day: 1, budgets: {day: 1}}]",
            "client-keys[0].dollars-per-day",
            "leave one of them out",
        ),
    ],
)
def test_what_cannot_work_is_told(text: str, key: str, words: str) -> None:
    providers = "providers: {openai: {api-key: sk-first-0123456789}}\n"
    (problem,) = problems_of(providers + text)
    assert problem.key == key
    assert words in problem.message


@pytest.mark.parametrize(
    ("named", "store", "wrong"), [("bob", "true", False), ("bob", "false", True), ("alise", "true", True)]
)
def test_a_branch_may_be_for_a_client_whose_key_is_given_out(named: str, store: str, wrong: bool) -> None:
    text = f"""
providers: {{openai: {{api-key: sk-first-0123456789}}}}
client-keys: [{{key: key-0123456789, name: alice}}]
store: {{enabled: {store}}}
routes:
  r: {{targets: [openai/a], branches: [{{when: {{clients: [{named}]}}, targets: [openai/b]}}]}}
"""
    assert bool(problems_of(text)) is wrong


def test_no_key_of_the_file_is_shown_by_what_is_made_of_it() -> None:
    made: Any = snapshot_of(ALICE)
    assert "key-0123456789" not in repr(made.client_keys) + repr(made.clients)
