"""The section `store`: what can be written there, and what is told of an address that leads nowhere."""

import pytest

from isthmus.config import stores
from isthmus.config.schema_store import StoreEntry
from isthmus.core.secret import Secret
from support.configured import config_of, problems_of


def test_a_store_is_kept_unless_it_is_switched_off() -> None:
    assert config_of("insecure: false\n").store == StoreEntry()
    assert not config_of("store: false\n").store.enabled
    assert not config_of("store: {enabled: false}\n").store.enabled


def test_every_key_is_read() -> None:
    text = (
        "store: {url: 'postgres://db/x', keep-days: 1, keep-sums-days: 0, keep-audit-days: 3, queue: 1000, trust: 10}\n"
    )
    expected = StoreEntry(
        url=Secret("postgres://db/x"), keep_days=1, keep_sums_days=0, keep_audit_days=3, queue=1000, trust=10
    )
    assert config_of(text).store == expected


@pytest.mark.parametrize("url", ["sqlite:///isthmus.db", "sqlite:////data/x.db", "postgresql://u:p@db.example.com:1/x"])
def test_an_address_of_a_database_is_taken(url: str) -> None:
    assert problems_of(f"store:\n  url: {url}\n") == ()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db.example.com/x",
        "postgresql:///x",
        "postgresql://db.example.com",
        "postgresql://db.example.com:0/x",
        "postgresql://db.example.com:port/x",
        "sqlite://x.db",
        "sqlite:///x.db?mode=ro",
        "x.db",
    ],
)
def test_an_address_of_anything_else_is_told_without_repeating_it(url: str) -> None:
    (problem,) = problems_of(f"store:\n  url: {url}\n")
    assert (problem.line, problem.key) == (2, "store.url")
    assert "must be postgresql://" in problem.message
    assert url not in problem.message


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "find_spec", lambda _: None)
    (problem,) = problems_of("store:\n  url: postgresql://db.example.com/x\n")
    assert "pip install 'isthmus[postgres]'" in problem.message
    assert problems_of("store:\n  url: sqlite:///x.db\n") == ()
