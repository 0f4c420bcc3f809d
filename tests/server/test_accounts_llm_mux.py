"""llm-mux's sign-ins and files of accounts, flat and enveloped, and the models that its accounts leave out."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.account_book import CODEX, GOOD_CODE, PLANTED, FakeAccountBook
from isthmus.engine.accounts import Account, AccountState, SignInProgress
from isthmus.server.admin.forms import MOST_PARTS
from support.administering import OWNER, Header, Managed, key, told
from support.asgi import Visit
from support.line import Line, provider
from support.signed_in import ALICE, BOB, JSON, NOW, ROBOT

FLAT, ENVELOPED = "/v0/management", "/v1/management"
FORM = b"multipart/form-data; boundary=here"
AUTH_JSON = {
    "auth_mode": "chatgpt",
    "OPENAI_API_KEY": None,
    "tokens": {
        "access_token": PLANTED[0],
        "refresh_token": PLANTED[1],
        "id_token": PLANTED[2],
        "account_id": "ws_1",
    },
}
ROBOT_FILE = {
    "type": "service_account",
    "project_id": "a-project",
    "client_email": "robot@a-project.example.com",
    "private_key": PLANTED[3],
}


class Settings:
    """The configuration as these routes know it: what it says of providers, and what was changed."""

    def __init__(self, providers: Mapping[str, Any]) -> None:
        self.providers = providers
        self.edits: list[Mapping[tuple[str | int, ...], object]] = []

    def shown(self) -> Mapping[str, object]:
        return {"providers": self.providers}

    async def edit(self, changes: Mapping[tuple[str | int, ...], object], who: str, note: str = "") -> None:
        self.edits.append(changes)


class Door:
    """An administrator of llm-mux. `codex` is configured, with its accounts; `plain` is, with keys."""

    def __init__(self, *accounts: Account) -> None:
        signed_in = replace(provider("codex"), issuer="codex")
        self.book = FakeAccountBook(*accounts, time=NOW)
        self.settings = Settings({"codex": {"models-excluded": ["gpt-4*"]}, "plain": {"models-excluded": []}})
        self.managed = Managed(OWNER, line=Line([signed_in, provider("plain")], {})).at_desk(
            accounts=self.book, configurer=self.settings
        )

    async def ask(self, method: str, path: str, said: Any = None, *headers: Header) -> Visit:
        body = said if isinstance(said, bytes) else b"" if said is None else json.dumps(said).encode()
        return await self.managed.ask(method, path, *(headers or (key(OWNER), JSON)), body=body)

    async def told(self, method: str, path: str, said: Any = None) -> tuple[int, Any]:
        visit = await self.ask(method, FLAT + path, said)
        return visit.status, told(visit)


@pytest.fixture
def door() -> Door:
    return Door(ALICE, BOB, ROBOT)


def form(**parts: bytes) -> bytes:
    told = b"".join(
        b'--here\r\ncontent-disposition: form-data; name="%b"; filename="a.json"\r\n\r\n%b\r\n' % (name.encode(), part)
        for name, part in parts.items()
    )
    return told + b"--here--\r\n"


async def test_a_sign_in_is_begun_in_a_browser(door: Door) -> None:
    status, begun = await door.told("POST", "/oauth/start", {"provider": "codex"})
    assert (status, begun["status"], begun["flow_type"], begun["expires_in"]) == (200, "ok", "oauth", 300)
    assert begun["auth_url"].startswith("https://auth.openai.com/oauth/authorize?")
    assert (begun["state"], begun["code_challenge"]) == (begun["id"], "challenge")
    assert begun["terms"] == CODEX.terms
    assert not [name for name in begun if "verifier" in name]


async def test_a_sign_in_is_begun_with_a_device_code(door: Door) -> None:
    begun = (await door.told("POST", "/oauth/start", {"provider": "Devices", "project_id": "p"}))[1]
    assert begun.keys() == {
        "status", "auth_url", "state", "id", "flow_type", "user_code", "verification_url", "expires_in", "interval",
    }  # fmt: skip
    assert (begun["flow_type"], begun["user_code"], begun["interval"]) == ("device", "ABCD-EFGH", 5)
    assert begun["verification_url"] == "https://id.example.com/device"


async def test_in_the_envelope_what_was_begun_stands_at_the_top_too(door: Door) -> None:
    begun = told(await door.ask("POST", f"{ENVELOPED}/oauth/start", {"provider": "codex"}))
    assert begun["auth_url"] == begun["data"]["auth_url"]
    assert begun["meta"].keys() == {"timestamp", "version"}
    found = told(await door.ask("GET", f"{ENVELOPED}/oauth/status/{begun['state']}"))
    assert found["status"] == found["data"]["status"] == "pending"


async def test_an_unknown_provider_is_refused_with_those_there_are(door: Door) -> None:
    status, refused = await door.told("POST", "/oauth/start", {"provider": "claude"})
    assert status == 400
    assert "codex, devices, google-service-account" in refused["error"]


async def test_what_is_signed_in_to_by_a_file_says_so(door: Door) -> None:
    status, refused = await door.told("POST", "/oauth/start", {"provider": "google-service-account"})
    assert (status, "auth-files" in refused["error"]) == (400, True)


async def test_how_far_a_sign_in_is(door: Door) -> None:
    state = (await door.told("POST", "/oauth/start", {"provider": "codex"}))[1]["state"]
    pending = {"status": "pending", "state": state, "id": state, "provider": "codex", "flow_type": "oauth"}
    assert await door.told("GET", f"/oauth/status/{state}") == (200, pending)
    await door.book.finish(state, GOOD_CODE)
    done = {**pending, "status": "completed", "account": "acc_4"}
    assert await door.told("GET", f"/oauth/status/{state}") == (200, done)


@pytest.mark.parametrize(
    ("progress", "word"), [(SignInProgress.EXPIRED, "cancelled"), (SignInProgress.FAILED, "failed")]
)
async def test_a_sign_in_that_came_to_nothing_says_why(door: Door, progress: SignInProgress, word: str) -> None:
    state = (await door.told("POST", "/oauth/start", {"provider": "codex"}))[1]["state"]
    door.book.pending[state] = replace(door.book.pending[state], progress=progress, why="nobody came back")
    found = (await door.told("GET", f"/oauth/status/{state}"))[1]
    assert (found["status"], found["error"]) == (word, "nobody came back")


async def test_a_sign_in_is_given_up_once(door: Door) -> None:
    state = (await door.told("POST", "/oauth/start", {"provider": "codex"}))[1]["state"]
    assert await door.told("POST", f"/oauth/cancel/{state}") == (200, {"status": "ok"})
    assert (await door.told("GET", f"/oauth/status/{state}"))[1]["status"] == "cancelled"
    assert (await door.told("POST", f"/oauth/cancel/{state}"))[0] == 404


@pytest.mark.parametrize(("method", "path"), [("GET", "/oauth/status/guessed"), ("POST", "/oauth/cancel/guessed")])
async def test_a_state_that_nobody_began_is_not_found(door: Door, method: str, path: str) -> None:
    status, refused = await door.told(method, path)
    assert (status, "OAuth state not found" in refused["error"]) == (404, True)


async def test_accounts_are_listed_as_files(door: Door) -> None:
    door.book.kept["acc_b"] = replace(BOB, state=AccountState.REVOKED, why="signed out")
    files = (await door.told("GET", "/auth-files"))[1]["files"]
    assert [one["name"] for one in files] == [
        "codex-alice@example.com.json",
        "codex-Bob+work@example.com.json",
        "google-service-account-robot.json",
    ]
    assert files[0] == {
        "id": "acc_a",
        "name": "codex-alice@example.com.json",
        "type": "codex",
        "provider": "codex",
        "label": "alice@example.com",
        "status": "active",
        "status_message": "",
        "disabled": False,
        "unavailable": False,
        "runtime_only": False,
        "source": "memory",
        "size": 0,
        "email": "alice@example.com",
        "account_type": "oauth",
        "account": "alice@example.com",
        "created_at": "2023-11-14T22:13:20Z",
        "modtime": "2023-11-14T22:13:20Z",
    }
    assert (files[1]["status"], files[1]["status_message"], files[1]["unavailable"]) == ("error", "signed out", True)


async def test_codexs_own_file_is_taken_in(door: Door) -> None:
    done = {"status": "ok", "name": "codex-new4@example.com.json"}
    assert await door.told("POST", "/auth-files?name=codex.json", AUTH_JSON) == (200, done)
    issuer, tokens, source = door.book.adopted[0]
    assert (issuer, source) == ("codex", "sent as a file by olga")
    given = [one.reveal() for one in (tokens.access, tokens.refresh, tokens.id_token) if one is not None]
    assert given == [PLANTED[0], PLANTED[1], PLANTED[2]]


async def test_a_file_of_llm_mux_is_taken_in(door: Door) -> None:
    file = {"type": "codex", "email": "me@example.com", "refresh_token": PLANTED[1], "expired": "2026-01-01"}
    assert (await door.told("POST", "/auth-files?name=codex-me.json", file))[0] == 200
    assert door.book.adopted[0][0] == "codex"


@pytest.mark.parametrize("file", [ROBOT_FILE, {"type": "vertex", "service_account": ROBOT_FILE, "location": "here"}])
async def test_a_service_accounts_file_is_taken_in(door: Door, file: Any) -> None:
    assert (await door.told("POST", "/auth-files?name=robot.json", file))[0] == 200
    issuer, tokens, _ = door.book.adopted[0]
    assert issuer == "google-service-account"
    assert tokens.service_account is not None
    assert json.loads(tokens.service_account.reveal()) == ROBOT_FILE


@pytest.mark.parametrize(
    "file",
    [
        b"not json " + PLANTED[0].encode(),
        [PLANTED[0]],
        {},
        {"tokens": {"access_token": PLANTED[0]}},
        {"tokens": {"refresh_token": 3}},
        {"type": "claude", "refresh_token": PLANTED[1]},
        {"type": "codex", "refresh_token": ""},
    ],
)
async def test_a_file_that_holds_no_account_is_refused_without_its_words(door: Door, file: Any) -> None:
    visit = await door.ask("POST", f"{FLAT}/auth-files?name=a.json", file)
    assert visit.status == 400
    assert b"planted" not in visit.body
    assert door.book.adopted == []


async def test_a_file_may_come_in_a_form_of_who_sends_a_key(door: Door) -> None:
    body = form(file=json.dumps(AUTH_JSON).encode())
    visit = await door.ask("POST", f"{FLAT}/auth-files", body, key(OWNER), (b"content-type", FORM))
    assert visit.status == 200
    assert door.book.adopted[0][0] == "codex"


async def test_a_form_of_who_sends_no_key_is_refused() -> None:
    """Any page could have its browser send one."""
    book = FakeAccountBook()
    managed = Managed().at_desk(accounts=book)
    body = form(file=json.dumps(AUTH_JSON).encode())
    visit = await managed.ask("POST", f"{FLAT}/auth-files", (b"content-type", FORM), body=body)
    assert visit.status == 415
    assert book.adopted == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--here--\r\n",
        b"no form at all",
        form(other=b"{}"),
        form(**{f"part{n}": b"{}" for n in range(MOST_PARTS)}, file=b"{}"),
        b"--here\r\ncontent-disposition: form-data; name=file\r\n\r\n{}",
    ],
)
async def test_a_form_without_a_file_is_refused(door: Door, body: bytes) -> None:
    visit = await door.ask("POST", f"{FLAT}/auth-files", body, key(OWNER), (b"content-type", FORM))
    assert visit.status == 400
    assert door.book.adopted == []


async def test_no_token_is_given_out_as_a_file(door: Door) -> None:
    status, refused = await door.told("GET", "/auth-files/download?name=codex-alice@example.com.json")
    assert (status, "/admin/accounts/export" in refused["error"]) == (403, True)
    assert (await door.told("GET", "/auth-files/download?name=nobody.json"))[0] == 404


@pytest.mark.parametrize("name", ["codex-alice@example.com.json", "acc_a", "alice@example.com"])
async def test_an_account_is_forgotten_as_a_file(door: Door, name: str) -> None:
    assert await door.told("DELETE", f"/auth-files?name={name}") == (200, {"status": "ok"})
    assert "acc_a" not in door.book.kept


async def test_all_accounts_are_forgotten(door: Door) -> None:
    assert await door.told("DELETE", "/auth-files?all=true") == (200, {"status": "ok", "deleted": 3})
    assert door.book.kept == {}


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?name=", 400), ("?name=other.json", 404), ("?all=no", 400)])
async def test_forgetting_says_which(door: Door, query: str, status: int) -> None:
    assert (await door.told("DELETE", f"/auth-files{query}"))[0] == status
    assert len(door.book.kept) == 3


async def test_a_service_account_is_imported_with_its_project(door: Door) -> None:
    body = form(file=json.dumps(ROBOT_FILE).encode(), location=b"europe-west4")
    visit = await door.ask("POST", f"{FLAT}/vertex/import", body, key(OWNER), (b"content-type", FORM))
    assert told(visit) == {
        "status": "ok",
        "auth_file": "google-service-account-new4@example.com.json",
        "project_id": "a-project",
        "email": "robot@a-project.example.com",
        "location": "europe-west4",
    }


async def test_an_import_takes_a_service_account_alone(door: Door) -> None:
    assert (await door.told("POST", "/vertex/import", AUTH_JSON))[0] == 400
    assert (await door.told("POST", "/vertex/import", ROBOT_FILE))[1]["location"] == "us-central1"


async def test_models_that_accounts_leave_out_are_those_of_their_providers(door: Door) -> None:
    listed = {"oauth-excluded-models": {"codex": ["gpt-4*"]}}
    assert await door.told("GET", "/oauth-excluded-models") == (200, listed)


@pytest.mark.parametrize(
    ("method", "query", "body", "edit"),
    [
        ("PUT", "", {"codex": ["a", "b"]}, ["a", "b"]),
        ("PUT", "", {"items": {"Codex": ["a"]}}, ["a"]),
        ("PUT", "", {}, None),
        ("PATCH", "", {"provider": "codex", "models": ["c"]}, ["c"]),
        ("PATCH", "", {"provider": "codex", "models": []}, None),
        ("DELETE", "?provider=codex", None, None),
    ],
)
async def test_which_they_leave_out_is_changed_in_the_file(
    door: Door, method: str, query: str, body: Any, edit: Any
) -> None:
    assert await door.told(method, f"/oauth-excluded-models{query}", body) == (200, {"status": "ok"})
    assert door.settings.edits == [{("providers", "codex", "models-excluded"): edit}]


@pytest.mark.parametrize(
    ("method", "query", "body", "status"),
    [
        ("PUT", "", {"codex": "a"}, 400),
        ("PUT", "", ["a"], 400),
        ("PUT", "", {"plain": ["a"]}, 404),
        ("PATCH", "", {"provider": "claude", "models": ["c"]}, 404),
        ("PATCH", "", {"models": ["c"]}, 400),
        ("DELETE", "", None, 400),
        ("DELETE", "?provider=plain", None, 404),
    ],
)
async def test_what_has_no_accounts_leaves_out_nothing(
    door: Door, method: str, query: str, body: Any, status: int
) -> None:
    assert (await door.told(method, f"/oauth-excluded-models{query}", body))[0] == status
    assert door.settings.edits == []


async def test_without_a_store_its_routes_say_so() -> None:
    managed = Managed(OWNER)
    for path in ("/auth-files", "/oauth/status/abc"):
        visit = await managed.ask("GET", FLAT + path, key(OWNER))
        assert (visit.status, "store" in told(visit)["error"]) == (501, True)


async def test_no_answer_and_no_audit_holds_a_token(door: Door) -> None:
    bodies = b""
    for file in (AUTH_JSON, ROBOT_FILE):
        bodies += (await door.ask("POST", f"{FLAT}/auth-files?name=a.json", file)).body
    bodies += (await door.ask("POST", f"{FLAT}/vertex/import", ROBOT_FILE)).body
    bodies += (await door.ask("GET", f"{FLAT}/auth-files")).body
    everything = bodies.decode() + str(door.managed.records.noted)
    assert [secret for secret in PLANTED if secret in everything] == []
