"""What is in force: swapped whole, and what providers list outlives a swap."""

import pytest
from msgspec.structs import replace

from isthmus.core.errors import Kind, Rest
from isthmus.core.secret import Secret
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.health import Place
from isthmus.routing.names import UnknownName
from support.line import provider


def unheard(name: str) -> Provider:
    return replace(provider(name), models=(), listed=True)


def holders(live: Live, model: str) -> list[str]:
    return [target.provider for target in live.take().directory.plan(model).targets]


def test_a_provider_that_has_not_been_heard_yet_judges_names_itself() -> None:
    live = Live(Snapshot(providers={"one": unheard("one")}))
    assert holders(live, "gpt-5") == ["one"]


def test_once_it_has_named_its_models_no_other_name_goes_there() -> None:
    live = Live(Snapshot(providers={"one": unheard("one")}))
    live.learn({"one": ("gpt-5",)})
    assert holders(live, "gpt-5") == ["one"]
    with pytest.raises(UnknownName):
        holders(live, "gpt-6")


def test_who_is_known_to_have_a_model_comes_before_who_might() -> None:
    live = Live(Snapshot(providers={"one": unheard("one"), "two": unheard("two")}))
    live.learn({"two": ("gpt-5",)})
    assert holders(live, "gpt-5") == ["two"]


def test_what_is_listed_outlives_a_swap_and_goes_with_its_provider() -> None:
    live = Live(Snapshot(providers={"one": unheard("one"), "two": unheard("two")}))
    live.learn({"one": ("gpt-5",), "two": ("gpt-5",)})
    live.swap(Snapshot(providers={"two": unheard("two")}))
    assert holders(live, "gpt-5") == ["two"]
    assert live.take().version == 2


def test_whoever_took_what_was_in_force_keeps_it() -> None:
    live = Live(Snapshot(providers={"one": unheard("one")}))
    taken = live.take()
    live.swap(Snapshot(providers={}))
    assert list(taken.snapshot.providers) == ["one"]


def test_rests_outlive_a_swap_but_for_those_of_a_changed_key_or_host() -> None:
    providers = {name: provider(name) for name in ("same", "rekeyed", "moved")}
    live = Live(Snapshot(providers=providers))
    health = live.take().board.health
    for name in providers:
        health.failed(Place(name, "key", "m"), Kind.QUOTA_SPENT, Rest.CREDENTIAL, 0.0, hint=60.0)
    health.failed(Place("moved", "key", "m"), Kind.UNREACHABLE, Rest.PROVIDER, 0.0)
    moved = replace(providers["moved"], origin=replace(providers["moved"].origin, host="elsewhere.example.com"))
    rekeyed = replace(providers["rekeyed"], secret=Secret("sk-another-0123456789"))
    live.swap(Snapshot(providers={"same": provider("same"), "rekeyed": rekeyed, "moved": moved}))
    assert [one.place.provider for one in health.resting(0.0)] == ["same"]
