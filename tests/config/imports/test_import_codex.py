"""What the keys of codex-claude-proxy become."""

import json

import pytest

from isthmus.config.imports.report import Fit
from isthmus.config.schema import ListenerEntry
from isthmus.config.schema_routing import NamesEntry
from isthmus.engine.compat import Compat
from isthmus.engine.haiku_lane import KILO, MODELS
from support.importing import foreign, problems, said, taken_over, text_of


def test_it_listens_where_its_clients_look() -> None:
    for file in ("settings.json", "accounts.json"):
        found = taken_over(text_of(file)).config
        assert found.listeners == (ListenerEntry("127.0.0.1", 8081, Compat.CODEX),)


@pytest.mark.parametrize(("said_model", "model"), [*MODELS.items(), ("maker/model:free", "maker/model:free")])
def test_haiku_has_a_lane_of_its_own(said_model: str, model: str) -> None:
    found = taken_over(json.dumps({"haikuKiloModel": said_model})).config
    assert found.providers[KILO].models == (model,)
    assert "haiku" in found.aliases
    assert set(found.aliases.values()) == {NamesEntry((f"{KILO}/{model}",))}


@pytest.mark.parametrize("file", ["settings.json", "accounts.json"])
def test_its_accounts_are_asked_under(file: str) -> None:
    assert "codex" in taken_over(text_of(file)).config.providers


@pytest.mark.parametrize("named", ["sticky", "round-robin"])
def test_its_accounts_take_turns_as_they_did(named: str) -> None:
    text = json.dumps({"accountStrategy": named})
    assert taken_over(text).config.providers["codex"].pool == named
    assert said(foreign(text), Fit.DIFFERS) == set()


def test_a_strategy_that_nobody_knows_is_wrong() -> None:
    assert [one.key for one in problems('{"accountStrategy": "zork"}')] == ["accountStrategy"]


def test_every_account_is_told_of_and_none_by_its_address() -> None:
    found = foreign(text_of("accounts.json"))
    assert said(found, Fit.NO_EQUAL) == {"accounts[0]", "accounts[1]", "activeAccount"}
    assert "example.com" not in "".join(found.notes())
