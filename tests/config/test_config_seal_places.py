"""Where the keys of accounts are: what the section `accounts` says of it, and what comes before what."""

from pathlib import Path

import pytest

from isthmus.config import seal_places as places
from isthmus.config.load import Loaded
from isthmus.config.masking import mask
from isthmus.config.reload import takes_restart
from isthmus.config.schema_accounts import AccountsEntry
from isthmus.config.seal_places import SealPlaces, seal_places
from isthmus.core.secret import Secret
from support.configured import config_of, load_text, problems_of

HOME = {"HOME": "/home/me"}


def places_of(loaded: Loaded) -> SealPlaces:
    return seal_places(loaded.config, loaded.environment)


def test_without_a_word_the_key_is_a_file_in_the_folder_for_data() -> None:
    loaded = load_text("insecure: false\n", HOME)
    assert loaded.config.accounts == AccountsEntry()
    assert places_of(loaded) == SealPlaces(None, Path("/home/me/.local/share/isthmus/accounts.key"), False)


def test_a_key_file_is_relative_to_the_configuration() -> None:
    loaded = load_text("accounts: {key-file: keys/mine}\n", folder=Path("/etc/isthmus"))
    assert places_of(loaded).file == Path("/etc/isthmus/keys/mine")


def test_the_variable_is_read_without_the_space_around_it() -> None:
    said = places_of(load_text("", {**HOME, "ISTHMUS_ACCOUNTS_KEY": " key-1,key-2\n"})).said
    assert said == Secret("key-1,key-2")
    assert places_of(load_text("", {**HOME, "ISTHMUS_ACCOUNTS_KEY": " "})).said is None


def test_the_keyring_is_asked_for_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "find_spec", lambda _: object())
    assert places_of(load_text("accounts: {keyring: true}\n", HOME)).keyring


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "find_spec", lambda _: None)
    (problem,) = problems_of("accounts:\n  keyring: true\n")
    assert (problem.line, problem.key) == (2, "accounts.keyring")
    assert "pip install 'isthmus[keyring]'" in problem.message
    assert problems_of("accounts:\n  keyring: false\n") == ()


def test_another_key_takes_a_restart_and_another_issuer_none() -> None:
    issuer = "issuers: {mine: {client-id: a, authorize-url: https://a.example.com, token-url: https://a.example.com}}"
    plain, keyed, issued = (config_of(text) for text in ("", "accounts: {key-file: k}", f"accounts: {{{issuer}}}"))
    assert takes_restart("accounts", plain, keyed)
    assert not takes_restart("accounts", plain, issued)


def test_the_secret_of_an_issuer_is_hidden_where_the_file_is_shown() -> None:
    text = "accounts:\n  issuers:\n    mine:\n      client-secret: hunter2-hunter2\n      client-id: shown\n"
    assert "hunter2" not in mask(text)
    assert "shown" in mask(text)
