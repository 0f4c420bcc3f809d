"""What a host of accounts is presumed to serve, until an account lists what it may use."""

from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.build import build
from isthmus.providers.provider import Provider
from isthmus.providers.table import PROVIDERS
from isthmus.routing.plan import Target


def live(provider: Provider, *listed: str) -> Live:
    made = Live(Snapshot(providers={"codex": provider}))
    if listed:
        made.learn({"codex": listed})
    return made


def names(made: Live) -> list[str]:
    return [name for name, _ in made.take().directory.names()]


def test_without_a_list_the_usual_models_are_told() -> None:
    assert names(live(build(PROVIDERS["codex"], name="codex"))) == ["gpt-5.3-codex", "gpt-5.2"]


def test_with_a_list_that_is_all() -> None:
    made = live(build(PROVIDERS["codex"], name="codex"), "gpt-6", "gpt-6-mini")
    assert names(made) == ["gpt-6", "gpt-6-mini"]
    assert made.take().directory.plan("gpt-5.2").targets == (Target("codex", "gpt-5.2"),), "it is for its plan to say"


def test_models_that_are_configured_are_told_with_those_of_the_list() -> None:
    made = live(build(PROVIDERS["codex"], name="codex", models=["mine"]), "gpt-6")
    assert names(made) == ["mine", "gpt-6"]


def test_a_model_stands_in_that_the_account_has() -> None:
    made = live(build(PROVIDERS["codex"], name="codex"), "gpt-6", "gpt-5.2")
    assert made.take().directory.plan("claude-opus-4-6").targets == (Target("codex", "gpt-6"),)
    assert made.take().directory.plan("claude-sonnet-4-6").targets == (Target("codex", "gpt-5.2"),)


def test_what_is_configured_to_stand_in_stays_so_whatever_is_listed() -> None:
    made = live(build(PROVIDERS["codex"], name="codex", stand_ins={"opus": "mine"}), "gpt-6")
    assert made.take().directory.plan("opus").targets == (Target("codex", "mine"),)
