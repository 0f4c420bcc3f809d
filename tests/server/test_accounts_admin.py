"""Accounts over our own management API: listed, taken in, changed and removed, signed in to; and no token is told."""

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.account_book import CODEX, GONE, GOOD_CODE, PLANTED, FakeAccountBook
from isthmus.engine.accounts import Account, AccountState, UsedWindow
from support.administering import OPERATOR, OWNER, VIEWER, Managed, key, told
from support.asgi import Visit

JSON = (b"content-type", b"application/json")
ALICE = Account(
    id="acc_a",
    issuer="codex",
    name="alice@example.com",
    email="alice@example.com",
    subject="ws_1",
    plan="plus",
    added_at=1_700_000_000.0,
    expires_at=1_700_003_600.0,
    active=True,
    windows=(UsedWindow("primary", 0.5, resets_at=1_700_007_200.0, seconds=18_000.0),),
    windows_at=1_700_000_100.0,
)
BOB = Account(id="acc_b", issuer="codex", name="bob", email="Bob+work@example.com", added_at=1_700_000_001.0)
ROBOT = Account(id="acc_r", issuer="google-service-account", name="robot", added_at=1_700_000_002.0)


class Office:
    """A gateway with these accounts, and its administrators."""

    def __init__(self) -> None:
        self.book = FakeAccountBook(ALICE, BOB, ROBOT)
        self.managed = Managed(OWNER, OPERATOR, VIEWER).at_desk(accounts=self.book)

    async def ask(self, method: str, path: str, said: Any = None, *, secret: bytes = OWNER) -> Visit:
        body = b"" if said is None else json.dumps(said).encode()
        return await self.managed.ask(method, path, key(secret), JSON, body=body)


@pytest.fixture
def office() -> Office:
    return Office()


async def test_accounts_are_listed_the_oldest_first(office: Office) -> None:
    listed = told(await office.ask("GET", "/admin/accounts", secret=VIEWER))
    assert [one["id"] for one in listed["accounts"]] == ["acc_a", "acc_b", "acc_r"]
    assert listed["more"] is False


async def test_an_account_is_told_with_its_limits(office: Office) -> None:
    alice = told(await office.ask("GET", "/admin/accounts/acc_a", secret=VIEWER))
    window = {"measure": "primary", "used": 0.5, "resets_at": "2023-11-15T00:13:20Z", "seconds": 18000.0}
    assert alice["windows"] == [window]
    assert alice["windows_at"] == "2023-11-14T22:15:00Z"
    assert (alice["plan"], alice["state"], alice["active"]) == ("plus", "ready", True)
    assert alice["expires_at"] == "2023-11-14T23:13:20Z"


async def test_an_account_that_was_added_elsewhere_a_moment_ago_is_there(office: Office) -> None:
    office.book.elsewhere = (replace(BOB, id="acc_new", name="new"),)
    assert told(await office.ask("GET", "/admin/accounts/new"))["id"] == "acc_new"


async def test_while_the_store_is_out_of_reach_that_is_told(office: Office) -> None:
    office.book.gone = True
    assert (await office.ask("GET", "/admin/accounts")).status == 503


async def test_the_list_goes_on_behind_an_id(office: Office) -> None:
    first = told(await office.ask("GET", "/admin/accounts?limit=1"))
    assert ([one["id"] for one in first["accounts"]], first["more"]) == (["acc_a"], True)
    rest = told(await office.ask("GET", "/admin/accounts?after=acc_a"))
    assert [one["id"] for one in rest["accounts"]] == ["acc_b", "acc_r"]


async def test_accounts_of_one_issuer_or_state_are_listed_alone(office: Office) -> None:
    office.book.kept["acc_b"] = replace(BOB, state=AccountState.REVOKED, why="the issuer takes its tokens no more")
    robots = told(await office.ask("GET", "/admin/accounts?issuer=google-service-account"))
    revoked = told(await office.ask("GET", "/admin/accounts?state=revoked"))
    assert [one["id"] for one in robots["accounts"]] == ["acc_r"]
    assert [one["why"] for one in revoked["accounts"]] == ["the issuer takes its tokens no more"]


@pytest.mark.parametrize("named", ["acc_b", "bob", "BOB", "Bob+work@example.com", "bob+work@example.com"])
async def test_an_account_is_found_by_its_id_its_name_and_its_email(office: Office, named: str) -> None:
    assert told(await office.ask("GET", f"/admin/accounts/{named}"))["id"] == "acc_b"


async def test_an_account_that_is_not_there_is_not_found(office: Office) -> None:
    visit = await office.ask("GET", "/admin/accounts/nobody")
    assert (visit.status, told(visit)["error"]["code"]) == (404, "unknown_path")


async def test_a_refresh_token_is_taken_in(office: Office) -> None:
    visit = await office.ask("POST", "/admin/accounts", {"issuer": "codex", "refresh_token": PLANTED[1]})
    assert visit.status == 201
    issuer, tokens, source = office.book.adopted[0]
    assert (issuer, source) == ("codex", "taken in by olga")
    assert tokens.refresh is not None
    assert tokens.refresh.reveal() == PLANTED[1]


async def test_a_service_account_is_taken_in(office: Office) -> None:
    file = {"type": "service_account", "client_email": "robot@example.com", "private_key": PLANTED[0]}
    visit = await office.ask("POST", "/admin/accounts", {"issuer": "google-service-account", "service_account": file})
    assert visit.status == 201
    tokens = office.book.adopted[0][1]
    assert tokens.service_account is not None
    assert json.loads(tokens.service_account.reveal()) == file


@pytest.mark.parametrize(
    "said", [{}, {"refresh_token": "r", "service_account": {}}, {"refresh_token": ""}, {"refresh_token": "x" * 20_000}]
)
async def test_what_is_neither_or_both_or_too_long_is_refused(office: Office, said: Any) -> None:
    assert (await office.ask("POST", "/admin/accounts", {"issuer": "codex", **said})).status == 400
    assert office.book.adopted == []


async def test_what_other_tools_left_is_taken_in(office: Office) -> None:
    office.book.found = (replace(BOB, id="acc_new", name="found"),)
    visit = await office.ask("POST", "/admin/accounts/import", {"issuer": "codex"})
    assert [one["id"] for one in told(visit)["accounts"]] == ["acc_new"]


async def test_an_account_is_renamed_and_bounded(office: Office) -> None:
    said = {"name": "work", "concurrency": 3, "models": ["gpt-5*"]}
    after = told(await office.ask("PATCH", "/admin/accounts/acc_b", said))
    assert {name: after[name] for name in said} == said
    assert told(await office.ask("PATCH", "/admin/accounts/work", {"concurrency": None}))["concurrency"] is None


@pytest.mark.parametrize(
    "said", [{"name": "a/b"}, {"name": ""}, {"concurrency": 0}, {"state": "ready"}, {"email": "x"}]
)
async def test_a_change_that_makes_no_sense_is_refused(office: Office, said: Any) -> None:
    assert (await office.ask("PATCH", "/admin/accounts/acc_b", said)).status == 400
    assert office.book.kept["acc_b"] == BOB


async def test_an_account_is_disabled_and_enabled_again(office: Office) -> None:
    off = told(await office.ask("POST", "/admin/accounts/acc_b/disable", secret=OPERATOR))
    assert (off["state"], off["why"]) == ("disabled", "")
    on = told(await office.ask("POST", "/admin/accounts/acc_b/enable", secret=OPERATOR))
    assert (on["state"], on["why"]) == ("ready", "")


async def test_enabling_is_no_way_around_a_new_sign_in(office: Office) -> None:
    office.book.kept["acc_b"] = replace(BOB, state=AccountState.REVOKED, why="gone")
    for said in (
        ("POST", "/admin/accounts/acc_b/enable", None),
        ("PATCH", "/admin/accounts/acc_b", {"disabled": False}),
    ):
        assert told(await office.ask(*said))["state"] == "revoked"


async def test_another_account_is_made_the_active_one(office: Office) -> None:
    await office.ask("POST", "/admin/accounts/acc_b/activate", secret=OPERATOR)
    assert [one.id for one in office.book.all() if one.active] == ["acc_b"]


async def test_tokens_are_renewed_when_somebody_asks(office: Office) -> None:
    assert told(await office.ask("POST", "/admin/accounts/acc_b/refresh", secret=OPERATOR))["refreshed_at"] is not None


async def test_a_refresh_that_fails_says_why(office: Office) -> None:
    office.book.fails["acc_b"] = GONE
    visit = await office.ask("POST", "/admin/accounts/acc_b/refresh")
    assert (visit.status, told(visit)["error"]["message"]) == (502, "the issuer cannot be reached")


async def test_an_account_is_forgotten(office: Office) -> None:
    assert told(await office.ask("DELETE", "/admin/accounts/acc_a")) == {"deleted": "acc_a"}
    assert [one.id for one in office.book.all() if one.active] == ["acc_b"]


async def test_limits_are_asked_for_only_where_they_are_to_be_fresh(office: Office) -> None:
    await office.ask("GET", "/admin/accounts/acc_a/quota")
    assert office.book.asked == []
    fresh = told(await office.ask("GET", "/admin/accounts/acc_a/quota?fresh=true"))
    assert office.book.asked == ["quota acc_a"]
    assert fresh["windows"][0]["used"] == 0.25


async def test_use_and_models_are_told_in_the_vendors_words(office: Office) -> None:
    assert told(await office.ask("GET", "/admin/accounts/acc_a/usage"))["usage"]["plan_type"] == "plus"
    assert told(await office.ask("GET", "/admin/accounts/acc_a/models"))["models"][0]["slug"] == "gpt-5.2"


async def test_all_accounts_go_into_an_archive_and_come_back(office: Office) -> None:
    said = {"passphrase": "long enough a passphrase"}
    archive = told(await office.ask("POST", "/admin/accounts/export", said))["archive"]
    assert base64.b64decode(archive) == b"\x00sealed\xff"
    visit = await office.ask("POST", "/admin/accounts/restore", {**said, "archive": archive})
    assert len(told(visit)["accounts"]) == 3
    assert office.book.passphrases == [said["passphrase"]] * 2


async def test_a_short_passphrase_seals_nothing(office: Office) -> None:
    assert (await office.ask("POST", "/admin/accounts/export", {"passphrase": "short"})).status == 400
    assert office.book.passphrases == []


@pytest.mark.parametrize("archive", ["not base64!", base64.b64encode(b"other").decode(), ""])
async def test_what_is_no_archive_is_refused(office: Office, archive: str) -> None:
    said = {"archive": archive, "passphrase": "long enough a passphrase"}
    visit = await office.ask("POST", "/admin/accounts/restore", said)
    assert (visit.status, told(visit)["error"]["param"]) == (400, "archive")


async def test_an_archive_may_be_long(office: Office) -> None:
    said = {"archive": base64.b64encode(b"x" * 2_000_000).decode(), "passphrase": "long enough a passphrase"}
    assert (await office.ask("POST", "/admin/accounts/restore", said)).status == 400


async def test_issuers_are_told_with_their_terms(office: Office) -> None:
    issuers = told(await office.ask("GET", "/admin/issuers", secret=VIEWER))["issuers"]
    codex = next(one for one in issuers if one["name"] == "codex")
    assert codex["terms"] == CODEX.terms
    assert (codex["flows"], codex["accounts"]) == (["code", "pasted", "file"], 2)
    assert "client_id" not in codex


async def test_a_sign_in_is_begun_and_ended_with_a_code(office: Office) -> None:
    visit = await office.ask("POST", "/admin/sign-ins", {"issuer": "codex", "port": 1457})
    begun = told(visit)
    assert (visit.status, begun["port"], begun["progress"]) == (201, 1457, "pending")
    assert begun["url"].startswith("https://auth.openai.com/oauth/authorize?")
    assert begun["terms"] == CODEX.terms
    path = f"/admin/sign-ins/{begun['id']}"
    account = told(await office.ask("POST", f"{path}/finish", {"code": GOOD_CODE}))
    done = told(await office.ask("GET", path))
    assert (done["progress"], done["account"]) == ("completed", account["id"])


async def test_a_wrong_code_ends_nothing(office: Office) -> None:
    begun = told(await office.ask("POST", "/admin/sign-ins", {"issuer": "codex"}))
    visit = await office.ask("POST", f"/admin/sign-ins/{begun['id']}/finish", {"code": "wrong"})
    assert visit.status == 400
    assert told(await office.ask("GET", f"/admin/sign-ins/{begun['id']}"))["progress"] == "pending"


async def test_a_device_code_is_told_to_be_typed(office: Office) -> None:
    begun = told(await office.ask("POST", "/admin/sign-ins", {"issuer": "devices", "flow": "device"}))
    assert (begun["user_code"], begun["port"]) == ("ABCD-EFGH", None)


async def test_sign_ins_are_given_up_one_by_one_or_all(office: Office) -> None:
    first = told(await office.ask("POST", "/admin/sign-ins", {"issuer": "codex"}))
    await office.ask("POST", "/admin/sign-ins", {"issuer": "codex"})
    assert told(await office.ask("DELETE", f"/admin/sign-ins/{first['id']}"))["progress"] == "cancelled"
    assert told(await office.ask("DELETE", "/admin/sign-ins")) == {"cancelled": 1}


async def test_the_audit_log_has_who_it_was_done_to_and_not_how_a_sign_in_is_ended(office: Office) -> None:
    begun = told(await office.ask("POST", "/admin/sign-ins", {"issuer": "codex"}))
    await office.ask("POST", f"/admin/sign-ins/{begun['id']}/finish", {"code": GOOD_CODE})
    await office.ask("POST", "/admin/accounts/acc_b/disable")
    noted = office.managed.records.noted
    assert [(deed.what, deed.on) for deed in noted] == [
        ("POST /admin/sign-ins", "codex"),
        ("POST /admin/sign-ins/{state}/finish", begun["id"][:6]),
        ("POST /admin/accounts/{id}/disable", "acc_b"),
    ]
    assert GOOD_CODE not in str(noted)


async def test_without_a_store_there_are_no_accounts() -> None:
    managed = Managed(OWNER)
    for method, path in (("GET", "/admin/accounts"), ("GET", "/admin/issuers"), ("DELETE", "/admin/sign-ins")):
        visit = await managed.ask(method, path, key(OWNER))
        assert visit.status == 501
        assert "store" in told(visit)["error"]["message"]


async def test_no_answer_and_no_audit_holds_what_was_sent_as_a_secret(office: Office) -> None:
    told_so_far = b""
    for said in (
        ("POST", "/admin/accounts", {"issuer": "codex", "refresh_token": PLANTED[1]}),
        (
            "POST",
            "/admin/accounts",
            {"issuer": "codex", "refresh_token": PLANTED[1], "service_account": {"k": PLANTED[0]}},
        ),
        ("POST", "/admin/accounts", {"issuer": 3, "refresh_token": PLANTED[1]}),
        ("POST", "/admin/accounts/export", {"passphrase": PLANTED[2]}),
        ("POST", "/admin/accounts/restore", {"archive": PLANTED[3], "passphrase": PLANTED[2]}),
        ("GET", "/admin/accounts", None),
    ):
        told_so_far += (await office.ask(*said)).body
    everything = told_so_far.decode() + str(office.managed.records.noted)
    assert [secret for secret in PLANTED if secret in everything] == []
