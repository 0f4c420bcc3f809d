"""Accounts through a gateway that runs, with a strict issuer and a stand-in of the Codex backend behind it: signed in
to over every management API, and nothing of what proves them is left anywhere but sealed in the store.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fakes.browser import back_to, browse, get
from fakes.codex_backend import open_codex_backend
from fakes.gateway import open_gateway
from fakes.scripts import HELLO, Answer, Words
from fakes.strict_issuer import open_strict_issuer
from fakes.strict_words import Person
from support.asking import ask
from support.codex import ADA, BEN, CodexPlace, configured, open_codex_place
from support.log_files import await_written
from support.planting import found

CAROL = Person("carol+codex@example.com", "acc-carol", "plus")
PASSPHRASE = "passphrase-planted-7716"
EVERYTHING = """
log: {level: debug, file: all.log, format: json, dumps: true, bodies: {requests: true, answers: true}}
"""
CHAT = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "Hello"}]}
TOLD = (
    *("/accounts", "/accounts/status", "/accounts/usage", "/accounts/models", "/accounts/quota/all", "/health"),
    *("/admin/accounts", "/admin/issuers", "/admin/audit?limit=1000", "/admin/config", "/admin/config/file"),
    *("/admin/logs?limit=1000", "/admin/exchanges?limit=1000", "/admin/status", "/admin/providers", "/admin/rests"),
    *("/v0/management/auth-files", "/v0/management/config", "/v0/management/logs", "/v1/management/auth-files"),
    *("/api/logs", "/metrics", "/claude/config"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodexPlace]:
    with open_codex_place(tmp_path_factory.mktemp("codex"), (ADA,), EVERYTHING) as opened:
        opened.backend.play("gpt-5.2", lambda _: Answer((Words(HELLO),)))
        yield opened


@pytest.fixture(autouse=True)
def nobody_else_signs_in(place: CodexPlace) -> Iterator[None]:
    yield
    place.manage("POST", "/accounts/oauth/cleanup")


def named(place: CodexPlace) -> Mapping[str, Any]:
    return {one["email"]: one for one in place.manage("GET", "/accounts")[1]["accounts"]}


async def test_a_browser_comes_back_to_the_port_of_the_url(place: CodexPlace) -> None:
    place.issuer.person = BEN
    begun = place.manage("POST", "/accounts/add")[1]
    target = urlsplit(parse_qs(urlsplit(begun["oauth_url"]).query)["redirect_uri"][0])
    assert target.port == begun["callback_port"]
    status, _ = await browse(begun["oauth_url"])
    assert (status, named(place)[BEN.email]["planType"]) == (200, "pro")


async def test_a_browser_may_come_back_to_the_gateways_own_port(place: CodexPlace) -> None:
    place.issuer.person = CAROL
    begun = place.manage("POST", "/accounts/add")[1]
    back = urlsplit(await back_to(begun["oauth_url"]))
    status, page = await get(f"{place.gateway.root}{back.path}?{back.query}")
    assert (status, "carol+codex@example.com is an account now" in page) == (200, True)
    assert named(place)[CAROL.email]["accountId"] == "acc-carol"


@pytest.mark.parametrize("end", ["/accounts/add/manual", "/admin/sign-ins/{}/finish"])
async def test_what_the_browser_was_sent_back_with_is_pasted(place: CodexPlace, end: str) -> None:
    place.issuer.person = Person(f"pasted{len(end)}@example.com", f"acc-{len(end)}")
    begun = place.manage("POST", "/admin/sign-ins", {"issuer": "codex"})[1]
    url = await back_to(begun["url"])
    assert place.manage("POST", end.format(begun["id"]), {"code": url})[0] == 200
    assert place.issuer.person.email in named(place)


async def test_a_sign_in_of_llm_mux_is_completed_by_the_browser(place: CodexPlace) -> None:
    place.issuer.person = Person("mux@example.com", "acc-mux")
    begun = place.manage("POST", "/v0/management/oauth/start", {"provider": "codex"})[1]
    await browse(begun["auth_url"])
    ended = place.manage("GET", f"/v0/management/oauth/status/{begun['state']}")[1]
    assert (ended["status"], "mux@example.com" in named(place)) == ("completed", True)


async def test_a_code_of_one_sign_in_does_not_end_another(place: CodexPlace) -> None:
    first = place.manage("POST", "/accounts/add")[1]
    second = place.manage("POST", "/accounts/add")[1]
    code = parse_qs(urlsplit(await back_to(first["oauth_url"])).query)["code"][0]
    status, refused = place.manage("POST", "/accounts/add/manual", {"code": code, "state": second["state"]})
    assert (status, refused["success"]) == (400, False)
    url = f"http://localhost:1455/auth/callback?code={code}&state={first['state']}"
    status, _ = place.manage("POST", "/accounts/add/manual", {"code": url, "state": second["state"]})
    assert status == 400


async def test_codexs_own_file_is_taken_in_as_a_file_of_llm_mux(place: CodexPlace) -> None:
    given = place.issuer.sign_in(Person("file@example.com", "acc-file"))
    tokens = {name: given[name] for name in ("access_token", "refresh_token", "id_token")}
    file = {"OPENAI_API_KEY": None, "tokens": {**tokens, "account_id": "acc-file"}, "last_refresh": "2026-01-01"}
    done = {"status": "ok", "name": "codex-file@example.com.json"}
    assert place.manage("POST", "/v0/management/auth-files?name=auth.json", file) == (200, done)


async def test_an_account_with_signs_in_its_email_is_refreshed_and_removed_by_it(place: CodexPlace) -> None:
    place.sign_in(CAROL)
    path = "/accounts/carol%2Bcodex%40example.com"
    done = {"success": True, "message": "Token refreshed for: carol+codex@example.com"}
    assert place.manage("POST", f"{path}/refresh") == (200, done)
    assert place.manage("DELETE", path)[1]["success"] is True
    assert CAROL.email not in named(place)


async def test_an_account_that_is_switched_off_is_not_asked_under(place: CodexPlace) -> None:
    others = [one["id"] for one in place.manage("GET", "/admin/accounts")[1]["accounts"] if one["email"] != ADA.email]
    for identity in others:
        assert place.manage("POST", f"/admin/accounts/{identity}/disable")[1]["state"] == "disabled"
    asked = len(place.backend.who)
    assert place.ask("/v1/chat/completions", CHAT)[0] == 200
    assert set(place.backend.who[asked:]) == {ADA.account}
    for identity in others:
        assert place.manage("POST", f"/admin/accounts/{identity}/enable")[1]["state"] == "ready"


async def test_all_accounts_go_into_an_archive_and_come_back(place: CodexPlace) -> None:
    sealed = place.manage("POST", "/admin/accounts/export", {"passphrase": PASSPHRASE})[1]
    before = named(place)
    assert place.manage("DELETE", f"/accounts/{ADA.email}")[1]["success"] is True
    status, _ = place.manage("POST", "/admin/accounts/restore", {**sealed, "passphrase": PASSPHRASE})
    assert (status, named(place).keys()) == (200, before.keys())
    wrong = place.manage("POST", "/admin/accounts/restore", {**sealed, "passphrase": "another passphrase"})
    assert wrong[0] == 400
    place.manage("POST", "/accounts/switch", {"email": ADA.email})


async def test_a_refused_account_says_why_and_is_told_as_revoked(place: CodexPlace) -> None:
    lost = Person("lost@example.com", "acc-lost")
    identity = place.sign_in(lost)
    place.issuer.revoke(lost)
    status, refused = place.manage("POST", f"/accounts/{lost.email}/refresh")
    assert (status, refused["success"]) == (200, False)
    told = place.manage("GET", f"/admin/accounts/{identity}")[1]
    assert (told["state"], bool(told["why"])) == ("revoked", True)
    assert named(place)[lost.email]["tokenExpired"] is True


async def test_whichever_worker_is_asked_knows_every_sign_in_and_account(tmp_path: Path) -> None:
    with (
        open_strict_issuer() as issuer,
        open_codex_backend(issuer) as backend,
        open_gateway(configured(issuer, backend), tmp_path, workers=3) as gateway,
    ):
        place = CodexPlace(gateway, backend, issuer)
        for number in range(8):
            issuer.person = Person(f"person{number}@example.com", f"acc-{number}")
            url = await back_to(place.manage("POST", "/accounts/add")[1]["oauth_url"])
            assert place.manage("POST", "/accounts/add/manual", {"code": url})[0] == 200
            assert len(named(place)) == number + 1


def secrets_of(place: CodexPlace) -> Mapping[str, str]:
    """Every token and code that the issuer gave out, and every verifier that it was shown."""
    issuer = place.issuer
    live = {f"refresh token {n}": one.live for n, one in enumerate(issuer.families) if one.live}
    before = {f"refresh token before {n}": one.before for n, one in enumerate(issuer.families) if one.before}
    access = {f"access token {n}": token for n, one in enumerate(issuer.families) for token in one.accesses}
    codes = {f"code {n}": code for n, code in enumerate(issuer.codes)}
    verifiers = {
        f"verifier {n}": one.fields["code_verifier"]
        for n, one in enumerate(issuer.asked)
        if "code_verifier" in one.fields
    }
    states = {f"state {n}": one.query["state"] for n, one in enumerate(issuer.asked) if "state" in one.query}
    return {**live, **before, **access, **codes, **verifiers, **states, "passphrase": PASSPHRASE}


async def test_nothing_that_proves_an_account_is_told_or_kept_in_clear(place: CodexPlace) -> None:
    place.issuer.person = Person("last@example.com", "acc-last")
    begun = place.manage("POST", "/accounts/add")[1]
    back = urlsplit(await back_to(begun["oauth_url"]))
    await get(f"{place.gateway.root}{back.path}?{back.query}")
    place.ask("/v1/chat/completions", CHAT)
    place.ask("/v0/explain/v1/chat/completions", CHAT)
    answers = {path: ask(place.gateway.root + path)[1] for path in TOLD}
    answers["archive"] = json.dumps(place.manage("POST", "/admin/accounts/export", {"passphrase": PASSPHRASE})).encode()
    folder = place.gateway.log.parent
    await asyncio.to_thread(await_written, folder / "all.log", b"/admin/accounts/export")
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    secrets = secrets_of(place)
    assert {name.split()[0] for name in secrets} == {"access", "refresh", "code", "verifier", "state", "passphrase"}
    key = next(name for name in files if name.endswith("accounts.key"))
    everything = {**files, **answers}
    assert found(files[key].decode().strip(), {name: body for name, body in everything.items() if name != key}) == []
    assert [(name, where) for name, secret in secrets.items() for where in found(secret, everything)] == []
    assert all(answers.values())
    assert b"acc-last" in b"".join(files.values()), "the store was searched"
