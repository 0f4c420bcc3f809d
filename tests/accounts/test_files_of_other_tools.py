"""Accounts that other tools left on this machine: read as they are, and refused in words that hold nothing of them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.strict_issuer import StrictIssuer, row
from isthmus.accounts.claims import Told, told_by
from isthmus.accounts.files import ACCOUNTS, MOST, Found, left_by
from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.table import ISSUERS

TIME = 1_700_000_000.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def issuer() -> StrictIssuer:
    """One that is asked nothing here, and only makes tokens."""
    return StrictIssuer(url="http://127.0.0.1:9", clock=lambda: TIME)


def auth_of(issuer: StrictIssuer) -> dict[str, Any]:
    """As `codex login` writes it."""
    given = issuer.sign_in()
    tokens = {name: given[name] for name in ("id_token", "access_token", "refresh_token")}
    return {
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": None,
        "tokens": {**tokens, "account_id": "acc-ada"},
        "last_refresh": "2026-11-01T10:00:00.000000Z",
    }


def put(place: Path, text: object) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text if isinstance(text, str) else json.dumps(text))
    return place


async def found_in(home: Path, known: Issuer | None = None, **variables: str) -> list[Found]:
    return list(await left_by(known or ISSUERS["codex"], home, variables.get))


async def refused(home: Path) -> str:
    with pytest.raises(GatewayError) as caught:
        await found_in(home)
    assert caught.value.kind is Kind.INVALID
    return caught.value.message


async def test_what_the_codex_cli_left_is_found(home: Path, issuer: StrictIssuer) -> None:
    written = auth_of(issuer)
    put(home / ".codex" / "auth.json", written)
    (found,) = await found_in(home)
    assert found.tokens.refresh is not None
    assert found.tokens.refresh.reveal() == written["tokens"]["refresh_token"]
    assert found.tokens.expires_at == TIME + issuer.lifetime
    assert told_by(ISSUERS["codex"], found.tokens) == Told("ada@example.com", "acc-ada", "plus")


async def test_its_source_says_who_else_has_its_refresh_token(home: Path, issuer: StrictIssuer) -> None:
    put(home / ".codex" / "auth.json", auth_of(issuer))
    (found,) = await found_in(home)
    assert found.source == "~/.codex/auth.json, whose tool has the same refresh token"


async def test_the_folder_may_be_another_by_its_variable(home: Path, issuer: StrictIssuer, tmp_path: Path) -> None:
    put(home / ".codex" / "auth.json", "{")
    place = put(tmp_path / "elsewhere" / "auth.json", auth_of(issuer))
    (found,) = await found_in(home, CODEX_HOME=str(place.parent))
    assert str(place) in found.source


async def test_files_are_read_and_not_changed(home: Path, issuer: StrictIssuer) -> None:
    place = put(home / ".codex" / "auth.json", auth_of(issuer))
    before = (place.read_bytes(), place.stat().st_mtime_ns)
    await found_in(home)
    assert (place.read_bytes(), place.stat().st_mtime_ns) == before
    assert [path.name for path in place.parent.iterdir()] == ["auth.json"]


async def test_what_codex_claude_proxy_left_is_found_account_by_account(home: Path, issuer: StrictIssuer) -> None:
    entries = []
    for email in ("ada@example.com", "bob@example.com"):
        tokens = auth_of(issuer)["tokens"]
        entries.append(
            {
                "email": email,
                "accountId": "acc",
                "accessToken": tokens["access_token"],
                "refreshToken": tokens["refresh_token"],
                "idToken": tokens["id_token"],
                "expiresAt": 1,
            }
        )
    put(home / ".codex-claude-proxy" / "accounts.json", {"accounts": entries, "activeAccount": None, "version": 1})
    found = await found_in(home)
    assert [one.tokens.refresh.reveal() for one in found if one.tokens.refresh] == [
        entry["refreshToken"] for entry in entries
    ]


async def test_an_account_of_it_may_have_its_tokens_in_a_folder_of_its_own(home: Path, issuer: StrictIssuer) -> None:
    folder = home / ".codex-claude-proxy"
    put(folder / "accounts.json", {"accounts": [{"email": "ada@example.com"}], "version": 1})
    put(folder / "accounts" / "ada_example.com" / "auth.json", auth_of(issuer))
    assert len(await found_in(home)) == 1


async def test_no_name_of_an_account_leads_out_of_its_folder(home: Path, issuer: StrictIssuer) -> None:
    put(home / "auth.json", auth_of(issuer))
    emails = ["..", "../..", "../../", ".", "/", "x" * 300, ""]
    put(home / ".codex-claude-proxy" / "accounts.json", {"accounts": [{"email": email} for email in emails]})
    assert "there are no accounts of ChatGPT" in await refused(home)


async def test_accounts_of_all_tools_are_found(home: Path, issuer: StrictIssuer) -> None:
    put(home / ".codex" / "auth.json", auth_of(issuer))
    tokens = auth_of(issuer)["tokens"]
    entry = {"email": "bob@example.com", "refreshToken": tokens["refresh_token"]}
    put(home / ".codex-claude-proxy" / "accounts.json", {"accounts": [entry]})
    assert len(await found_in(home)) == 2


async def test_where_there_is_none_it_is_said_where_they_were_looked_for(home: Path) -> None:
    assert await refused(home) == (
        "there are no accounts of ChatGPT in ~/.codex/auth.json and ~/.codex-claude-proxy/accounts.json"
    )


async def test_an_api_key_is_no_account(home: Path) -> None:
    put(home / ".codex" / "auth.json", {"auth_mode": "apikey", "OPENAI_API_KEY": "sk-planted"})
    said = await refused(home)
    assert "there are no accounts" in said
    assert "planted" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("planted", "is not JSON"),
        ("", "is not JSON"),
        ("[]", "is no JSON object"),
        ('{"tokens": "planted"}', "tokens is no object"),
        ('{"tokens": {"refresh_token": ["planted"]}}', "refresh_token is no token"),
        ('{"tokens": {"access_token": "planted\\n"}}', "access_token is no token"),
        ('{"tokens": {}}', "an account without any token"),
        ('{"accounts": {}}', "accounts is no list"),
        ('{"accounts": ["planted"]}', "accounts is no list of objects"),
        (json.dumps({"accounts": [{}] * (ACCOUNTS + 1)}), f"more than {ACCOUNTS} accounts"),
        (" " * (MOST + 1), f"longer than {MOST} bytes"),
    ],
)
async def test_a_file_that_is_not_what_it_should_be_is_refused(home: Path, text: str, words: str) -> None:
    put(home / ".codex" / "auth.json", text)
    said = await refused(home)
    assert said.startswith("in ~/.codex/auth.json") or said.startswith("~/.codex/auth.json")
    assert words in said
    assert "planted" not in said


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
async def test_what_is_no_file_is_not_waited_for(home: Path, make: Callable[[Path], None]) -> None:
    (home / ".codex").mkdir(parents=True)
    make(home / ".codex" / "auth.json")
    assert await refused(home) == "~/.codex/auth.json is no file"


async def test_an_issuer_whose_tools_are_not_known_has_none(home: Path) -> None:
    known = row(StrictIssuer(url="http://127.0.0.1:9"), files=())
    with pytest.raises(GatewayError, match="no tool is known"):
        await found_in(home, known)
