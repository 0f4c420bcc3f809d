"""Accounts as the credentials of their issuer's providers."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from isthmus.core.errors import Kind, Rest
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, UsedWindow
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import CloudKey, Provider
from isthmus.routing.health import Place, State
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.names import UnknownName
from isthmus.routing.plan import Target
from support.line import provider


def unkeyed(name: str, issuer: str = "codex") -> Provider:
    """A provider that is asked under accounts."""
    return replace(provider(name), secret=None, issuer=issuer)


def account(name: str, issuer: str = "codex", *, active: bool = False) -> Account:
    return Account(id=f"acc_{name}", issuer=issuer, name=name, active=active)


def live_of(*providers: Provider, awaited: Mapping[str, Provider] = MappingProxyType({})) -> Live:
    return Live(Snapshot(providers={one.name: one for one in providers}, awaited=awaited))


def asked(live: Live, name: str = "codex") -> list[str]:
    """Under whom a model of the provider would be asked, in the order of the accounts."""
    return [ask.credential for ask in live.take().places.of(Target(name, "m"))]


def test_the_accounts_of_an_issuer_are_credentials_of_its_providers_and_of_no_other() -> None:
    live = live_of(unkeyed("codex"), unkeyed("twin"), unkeyed("foreign", "acme"), provider("keyed"))
    live.sign_in([account("a"), account("b")])
    assert asked(live) == asked(live, "twin") == ["a", "b"]
    assert asked(live, "foreign") == []
    assert asked(live, "keyed") == ["key"]


def test_a_request_under_an_account_is_signed_by_that_account() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([account("a"), account("b")])
    snapshot = live.take().snapshot
    assert snapshot.keyed("codex", "b").cloud == CloudKey("account", {"account": "acc_b"})
    assert snapshot.keyed("codex", "b") is snapshot.keyed("codex", "b")


def test_the_active_account_comes_first_and_the_others_as_they_were_added() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([account("a"), account("b"), account("c", active=True)])
    assert asked(live) == ["c", "a", "b"]


@pytest.mark.parametrize("state", [AccountState.REVOKED, AccountState.DISABLED])
def test_an_account_that_is_not_ready_is_not_asked_under(state: AccountState) -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([replace(account("a"), state=state), account("b")])
    assert asked(live) == ["b"]


def test_an_account_for_some_models_is_asked_for_no_others() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([replace(account("a"), models=("gpt-*",)), account("b")])
    assert asked(live) == ["b"]


def test_a_provider_with_a_key_of_its_own_takes_no_accounts() -> None:
    live = live_of(replace(unkeyed("codex"), secret=Secret("sk-own")))
    live.sign_in([account("a")])
    assert asked(live) == ["key"]


def test_a_configured_provider_whose_issuer_nobody_signed_in_to_is_there_and_has_no_place() -> None:
    live = live_of(unkeyed("codex"))
    assert list(live.take().snapshot.providers) == ["codex"]
    assert asked(live) == []


def test_an_awaited_provider_is_there_as_long_as_somebody_is_signed_in() -> None:
    live = live_of(replace(provider("local"), models=("small",)), awaited={"codex": unkeyed("codex")})
    with pytest.raises(UnknownName):
        live.take().directory.plan("m")
    live.sign_in([account("a")])
    assert live.take().directory.plan("m").targets == (Target("codex", "m"),)
    assert list(live.take().snapshot.providers) == ["codex", "local"]
    live.sign_in([])
    assert list(live.take().snapshot.providers) == ["local"]


def test_an_awaited_provider_whose_accounts_are_all_revoked_is_there_and_has_no_place() -> None:
    live = live_of(replace(provider("local"), models=("small",)), awaited={"codex": unkeyed("codex")})
    live.sign_in([replace(account("a"), state=AccountState.REVOKED)])
    assert live.take().directory.plan("m").targets == (Target("codex", "m"),)
    assert live.take().snapshot.credentials["codex"] == ()


def test_how_many_may_run_under_an_account_is_a_limit_of_its_key() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([replace(account("a"), concurrency=2), account("b")])
    limit = Limit("key:codex/a", Measure.RUNNING, 2)
    assert live.take().snapshot.allowances == {"key:codex/a": (limit,)}
    assert live.take().bounded


def test_accounts_outlive_a_swap_of_the_configuration() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([account("a")])
    live.swap(Snapshot(providers={"twin": unkeyed("twin")}))
    assert asked(live, "twin") == ["a"]
    live.learn({"twin": ("other",)})
    assert asked(live, "twin") == ["a"]


def test_what_is_noted_of_an_accounts_use_puts_nothing_new_in_force() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([replace(account("a"), concurrency=2)])
    before = live.take()
    live.sign_in([replace(account("a"), concurrency=2, used_at=9.0, windows=(UsedWindow("day", 0.5),))])
    assert live.take() is before


def resting(live: Live, name: str) -> bool:
    return live.take().board.health.state(Place("codex", name, "m"), 1.0) is State.RESTING


def test_who_signs_in_wakes_nobody_and_neither_does_who_goes() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([account("a"), account("b")])
    live.take().board.health.failed(Place("codex", "a", "m"), Kind.QUOTA_SPENT, Rest.CREDENTIAL, 0.0, hint=900.0)
    live.sign_in([account("a"), account("c")])
    assert resting(live, "a")


def test_another_account_of_the_same_name_is_well() -> None:
    live = live_of(unkeyed("codex"))
    live.sign_in([account("a"), account("b")])
    for name in ("a", "b"):
        place = Place("codex", name, "m")
        live.take().board.health.failed(place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, 0.0, hint=900.0)
    live.sign_in([replace(account("a"), id="acc_new"), account("b")])
    assert not resting(live, "a")
    assert resting(live, "b")


def test_rests_of_accounts_are_kept_by_who_the_account_is() -> None:
    live = live_of(unkeyed("codex"), provider("keyed"))
    live.sign_in([account("a")])
    keys = live.keys()
    assert set(keys) == {Place("codex", "a"), Place("keyed", "key")}
    assert keys.get(Place("codex", "gone")) is None
    live.sign_in([replace(account("a"), id="acc_new")])
    assert live.keys()[Place("codex", "a")] != keys[Place("codex", "a")]
    assert live.keys()[Place("keyed", "key")] == keys[Place("keyed", "key")]
