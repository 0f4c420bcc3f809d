"""The book that a command opens: it waits for a store that is slow to open, and not for one that is gone."""

from pathlib import Path

import pytest

from isthmus.accounts.keeper import Keeper
from isthmus.config.load import Found, Loaded, parse
from isthmus.config.secrets import Environment
from isthmus.core.errors import GatewayError, Kind
from isthmus.opened_accounts import TRIES, opened_book


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return parse("", Found(tmp_path / "isthmus.yaml", "test"), Environment({"HOME": str(tmp_path)}))


def slow(monkeypatch: pytest.MonkeyPatch, failures: int) -> list[int]:
    """Have the store be gone for so many questions. What is given back grows by one with each of them."""
    asked: list[int] = []
    refresh = Keeper.refresh

    async def refreshed(keeper: Keeper) -> None:
        asked.append(1)
        if len(asked) <= failures:
            raise GatewayError(Kind.STORE_GONE, "the store cannot be reached")
        await refresh(keeper)

    monkeypatch.setattr(Keeper, "refresh", refreshed)
    return asked


async def test_a_store_that_is_slow_to_open_is_waited_for(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = slow(monkeypatch, TRIES - 1)
    async with opened_book(loaded) as book:
        assert len(book.all()) == 0
    assert len(asked) == TRIES


async def test_a_store_that_is_gone_is_told(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(monkeypatch, TRIES)
    with pytest.raises(GatewayError, match="the store cannot be reached"):
        async with opened_book(loaded):
            pass
