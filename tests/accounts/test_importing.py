"""Accounts of other tools, taken in by the book of a real store."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from fakes.strict_words import CLIENT, Person
from isthmus.config.load import Found, parse
from isthmus.config.secrets import Environment
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import AccountBook, AccountState
from isthmus.opened_accounts import opened_book


@pytest.fixture
def issuer() -> Iterator[StrictIssuer]:
    with open_strict_issuer() as made:
        yield made


@pytest.fixture
async def book(issuer: StrictIssuer, tmp_path: Path) -> AsyncIterator[AccountBook]:
    async with opened(issuer, tmp_path) as made:
        yield made


def opened(issuer: StrictIssuer, home: Path) -> AbstractAsyncContextManager[AccountBook]:
    text = f"accounts: {{issuers: {{codex: {{client-id: {CLIENT}, token-url: '{issuer.token_url}'}}}}}}\n"
    return opened_book(parse(text, Found(home / "isthmus.yaml", "test"), Environment({"HOME": str(home)})))


def left(home: Path, given: dict[str, Any]) -> None:
    """What `codex login` leaves."""
    (home / ".codex").mkdir(exist_ok=True)
    tokens = {name: given[name] for name in ("id_token", "access_token", "refresh_token")}
    (home / ".codex" / "auth.json").write_text(json.dumps({"tokens": tokens}))


async def test_tokens_that_last_are_kept_as_they_are(issuer: StrictIssuer, book: AccountBook, tmp_path: Path) -> None:
    left(tmp_path, dict(issuer.sign_in()))
    (account,) = await book.import_files("codex")
    assert (account.name, account.plan, account.state) == ("ada@example.com", "plus", AccountState.READY)
    assert account.source == "~/.codex/auth.json, whose tool has the same refresh token"
    assert issuer.refreshes() == 0


async def test_tokens_that_have_ended_are_renewed_at_once(
    issuer: StrictIssuer, book: AccountBook, tmp_path: Path
) -> None:
    issuer.skew = -7200.0
    left(tmp_path, dict(issuer.sign_in()))
    issuer.skew = 0.0
    await book.import_files("codex")
    assert issuer.refreshes() == 1


async def test_tokens_that_are_of_no_use_any_more_are_refused_in_words(
    issuer: StrictIssuer, book: AccountBook, tmp_path: Path
) -> None:
    issuer.skew = -7200.0
    left(tmp_path, dict(issuer.sign_in()))
    issuer.revoke(Person())
    with pytest.raises(GatewayError) as caught:
        await book.import_files("codex")
    assert caught.value.kind is Kind.INVALID
    assert caught.value.message == "what ~/.codex/auth.json holds is of no use any more: sign in to ChatGPT anew"
    assert len(book.all()) == 0


async def test_what_the_tool_left_long_ago_does_not_undo_what_was_renewed_since(
    issuer: StrictIssuer, book: AccountBook, tmp_path: Path
) -> None:
    left(tmp_path, dict(issuer.sign_in()))
    (account,) = await book.import_files("codex")
    issuer.lifetime = 7200.0
    renewed = await book.refresh(account.id)
    (again,) = await book.import_files("codex")
    assert (again.id, again.expires_at) == (account.id, renewed.expires_at)
    assert (await book.refresh(account.id)).state is AccountState.READY


async def test_what_the_tool_renewed_since_takes_the_place_of_what_was_taken_in(
    issuer: StrictIssuer, book: AccountBook, tmp_path: Path
) -> None:
    left(tmp_path, dict(issuer.sign_in()))
    (account,) = await book.import_files("codex")
    issuer.lifetime = 7200.0
    left(tmp_path, dict(issuer.sign_in()))
    (again,) = await book.import_files("codex")
    assert again.id == account.id
    assert again.expires_at is not None
    assert account.expires_at is not None
    assert again.expires_at > account.expires_at


async def test_nothing_is_taken_in_of_an_issuer_that_nobody_knows(book: AccountBook) -> None:
    with pytest.raises(GatewayError, match="there is no issuer"):
        await book.import_files("nobody")
