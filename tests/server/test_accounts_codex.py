"""codex-claude-proxy's accounts, in its own shapes: what its clients ask of them."""

from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from fakes.account_book import CODEX, GONE, GOOD_CODE, PLANTED
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState, SignInProgress, UsedWindow
from support.administering import Managed, told
from support.signed_in import ALICE, BOB, JSON, NOW, ROBOT, WINDOWS, Door


@pytest.fixture
def door() -> Door:
    return Door(ALICE, BOB, ROBOT)


async def test_accounts_of_its_issuer_are_listed_in_its_fields(door: Door) -> None:
    status, listed = await door.told("GET", "/accounts")
    assert (status, listed["activeAccount"], listed["total"]) == (200, "alice@example.com", 2)
    assert listed["accounts"][0] == {
        "email": "alice@example.com",
        "accountId": "ws_1",
        "planType": "plus",
        "addedAt": "2023-11-14T22:13:20Z",
        "lastUsed": None,
        "isActive": True,
        "tokenExpired": False,
        "quota": None,
        "state": "ready",
        "why": "",
    }


async def test_their_status_is_told_without_their_ids(door: Door) -> None:
    status, found = await door.told("GET", "/accounts/status")
    assert (status, found["total"], found["active"]) == (200, 2, "alice@example.com")
    assert [one["email"] for one in found["accounts"]] == ["alice@example.com", "Bob+work@example.com"]
    assert found["accounts"][1].keys() == {
        "email", "planType", "isActive", "quota", "tokenExpired", "lastUsed", "state", "why",
    }  # fmt: skip


async def test_where_nobody_is_active_that_is_null() -> None:
    assert (await Door().told("GET", "/accounts/status"))[1] == {"total": 0, "active": None, "accounts": []}


async def test_a_quota_is_the_limit_that_is_used_up_most() -> None:
    door = Door(replace(ALICE, windows=WINDOWS, windows_at=NOW - 60))
    quota = (await door.told("GET", "/accounts"))[1]["accounts"][0]["quota"]
    assert quota == {
        "usage": {
            "totalTokenUsage": 75.0,
            "limit": 100.0,
            "remaining": 25.0,
            "percentage": 75.0,
            "resetAt": "2023-11-15T00:13:20Z",
            "resetAfterSeconds": 7200,
            "limitWindowSeconds": 604800,
            "planType": "plus",
            "limitReached": False,
            "allowed": True,
            "raw": None,
        },
        "lastChecked": "2023-11-14T22:12:20Z",
    }


async def test_a_limit_that_is_used_up_lets_nothing_through() -> None:
    spent = (UsedWindow("primary", 1.0, NOW + 600, 18_000.0),)
    door = Door(replace(ALICE, windows=spent, windows_at=NOW))
    usage = (await door.told("GET", "/accounts"))[1]["accounts"][0]["quota"]["usage"]
    assert (usage["remaining"], usage["limitReached"], usage["allowed"]) == (0.0, True, False)


@pytest.mark.parametrize(
    ("account", "expired"),
    [
        (replace(ALICE, expires_at=NOW + 1), False),
        (replace(ALICE, expires_at=NOW - 1), True),
        (replace(ALICE, state=AccountState.REVOKED, why="signed out"), True),
    ],
)
async def test_a_token_that_is_out_of_date_or_revoked_is_told_as_expired(account: Account, expired: bool) -> None:
    found = (await Door(account).told("GET", "/accounts"))[1]["accounts"][0]
    assert (found["tokenExpired"], found["why"]) == (expired, account.why)


async def test_two_accounts_of_one_email_are_told_apart_by_their_names() -> None:
    twin = replace(ALICE, id="acc_2", name="alice@example.com (2)", active=False)
    door = Door(ALICE, twin)
    listed = (await door.told("GET", "/accounts"))[1]["accounts"]
    assert [one["email"] for one in listed] == ["alice@example.com", "alice@example.com (2)"]
    await door.told("POST", "/accounts/switch", {"email": "alice@example.com (2)"})
    assert [one.id for one in door.book.all() if one.active] == ["acc_2"]


async def test_a_sign_in_is_begun_with_a_url_a_state_and_a_port(door: Door) -> None:
    status, begun = await door.told("POST", "/accounts/add")
    assert (status, begun["status"], begun["callback_port"]) == (200, "oauth_url", 1455)
    assert begun["oauth_url"].startswith("https://auth.openai.com/oauth/authorize?")
    assert begun["state"] in begun["oauth_url"]
    assert begun["terms"] == CODEX.terms


async def test_no_verifier_is_told(door: Door) -> None:
    begun = (await door.told("POST", "/accounts/add", {"port": 1455}))[1]
    assert begun.keys() == {"status", "oauth_url", "state", "callback_port", "terms"}


async def test_the_port_that_is_asked_for_is_the_one_that_is_listened_at(door: Door) -> None:
    assert (await door.told("POST", "/accounts/add", {"port": 1777}))[1]["callback_port"] == 1777


@pytest.mark.parametrize("port", [0, -1, 70_000, "1455", 1.5])
async def test_what_is_no_port_is_refused(door: Door, port: Any) -> None:
    status, refused = await door.told("POST", "/accounts/add", {"port": port})
    assert (status, refused["success"]) == (400, False)
    assert door.book.pending == {}


@pytest.mark.parametrize("whole", [False, True], ids=["a code", "the whole URL"])
async def test_a_pasted_code_ends_a_sign_in(door: Door, whole: bool) -> None:
    state = await door.begin()
    said = f"http://localhost:1455/auth/callback?code={GOOD_CODE}&state={state}"
    body = {"code": said} if whole else {"code": GOOD_CODE, "state": state}
    status, done = await door.told("POST", "/accounts/add/manual", body)
    assert (status, done) == (200, {"success": True, "message": "Account new4@example.com added successfully"})
    assert door.book.pending[state].progress is SignInProgress.COMPLETED


async def test_a_verifier_beside_a_state_is_not_looked_at(door: Door) -> None:
    body = {"code": GOOD_CODE, "state": await door.begin(), "verifier": "anything"}
    assert (await door.told("POST", "/accounts/add/manual", body))[0] == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Code is required"),
        ({"code": GOOD_CODE}, "state is required"),
        ({"code": GOOD_CODE, "verifier": "v"}, "state is required"),
        ({"code": GOOD_CODE, "state": "guessed"}, "no such sign-in"),
        ({"code": f"http://localhost:1455/auth/callback?code={GOOD_CODE}&state=guessed"}, "no such sign-in"),
    ],
)
async def test_a_code_without_the_state_of_a_sign_in_ends_nothing(door: Door, body: Any, words: str) -> None:
    await door.begin()
    status, refused = await door.told("POST", "/accounts/add/manual", body)
    assert (status, refused["success"]) == (400, False)
    assert words in refused["error"]
    assert door.book.adopted == []


async def test_a_wrong_code_is_refused(door: Door) -> None:
    body = {"code": "wrong", "state": await door.begin()}
    status, refused = await door.told("POST", "/accounts/add/manual", body)
    assert (status, refused["error"]) == (400, "the issuer does not know this code")


async def test_switching_makes_another_account_the_active_one(door: Door) -> None:
    status, done = await door.told("POST", "/accounts/switch", {"email": "Bob+work@example.com"})
    assert (status, done) == (200, {"success": True, "message": "Switched to account: Bob+work@example.com"})
    assert (await door.told("GET", "/accounts"))[1]["activeAccount"] == "Bob+work@example.com"


@pytest.mark.parametrize("body", [None, {}, {"email": ""}])
async def test_switching_takes_an_email(door: Door, body: Any) -> None:
    status, refused = await door.told("POST", "/accounts/switch", body)
    assert (status, refused["success"], refused["message"]) == (400, False, "Email is required")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/accounts/switch", {"email": "nobody@example.com"}),
        ("POST", "/accounts/nobody@example.com/refresh", None),
        ("DELETE", "/accounts/nobody@example.com", None),
    ],
)
async def test_an_account_that_is_not_there_is_told_with_200(door: Door, method: str, path: str, body: Any) -> None:
    status, refused = await door.told(method, path, body)
    assert (status, refused["success"]) == (200, False)
    assert refused["message"] == "Account not found: nobody@example.com"


async def test_an_account_of_another_issuer_is_not_there(door: Door) -> None:
    assert (await door.told("DELETE", "/accounts/robot"))[1]["success"] is False
    assert "acc_r" in door.book.kept


async def test_the_active_accounts_tokens_are_renewed(door: Door) -> None:
    done = {"success": True, "message": "Token refreshed for: alice@example.com"}
    assert await door.told("POST", "/accounts/refresh") == (200, done)
    assert door.book.asked == ["refresh acc_a"]


async def test_without_an_active_account_there_is_none_to_renew() -> None:
    status, told_ = await Door(BOB).told("POST", "/accounts/refresh")
    assert (status, told_["success"], told_["message"]) == (200, False, "No active account")


async def test_the_tokens_of_one_account_are_renewed(door: Door) -> None:
    await door.told("POST", "/accounts/Bob+work@example.com/refresh")
    assert door.book.asked == ["refresh acc_b"]


async def test_the_tokens_of_all_accounts_are_renewed_and_each_is_told(door: Door) -> None:
    door.book.fails["acc_b"] = GONE
    assert await door.told("POST", "/accounts/refresh/all") == (
        200,
        [
            {"email": "alice@example.com", "success": True, "message": "Token refreshed for: alice@example.com"},
            {
                "email": "Bob+work@example.com",
                "success": False,
                "message": "Token refresh failed: the issuer cannot be reached",
            },
        ],
    )


async def test_a_refresh_that_fails_is_told_with_200(door: Door) -> None:
    door.book.fails["acc_a"] = GatewayError(Kind.CREDENTIAL_REVOKED, "somebody must sign in again")
    status, refused = await door.told("POST", "/accounts/refresh")
    assert (status, refused["success"]) == (200, False)
    assert refused["message"] == "Token refresh failed: somebody must sign in again"


async def test_a_removed_account_hands_on_to_the_next(door: Door) -> None:
    done = {"success": True, "message": "Account removed: alice@example.com"}
    assert await door.told("DELETE", "/accounts/alice@example.com") == (200, done)
    assert (await door.told("GET", "/accounts"))[1]["activeAccount"] == "Bob+work@example.com"


async def test_what_codex_left_is_taken_in(door: Door) -> None:
    door.book.found = (replace(ALICE, id="acc_f", email="found@example.com", name="found@example.com"),)
    done = {"success": True, "message": "Imported account: found@example.com (plus)"}
    assert await door.told("POST", "/accounts/import") == (200, done)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((), "No Codex auth.json found"),
        (GatewayError(Kind.INVALID, "auth.json is no JSON"), "Import failed: auth.json is no JSON"),
    ],
)
async def test_where_nothing_can_be_taken_in_that_is_told_with_200(door: Door, found: Any, words: str) -> None:
    door.book.found = found
    status, refused = await door.told("POST", "/accounts/import")
    assert (status, refused["success"], refused["message"]) == (200, False, words)


async def test_sign_ins_that_wait_are_given_up(door: Door) -> None:
    state = await door.begin()
    done = {"success": True, "message": "OAuth servers cleaned up"}
    assert await door.told("POST", "/accounts/oauth/cleanup") == (200, done)
    assert door.book.pending[state].progress is SignInProgress.CANCELLED


async def test_a_quota_that_was_never_told_is_asked_for(door: Door) -> None:
    status, found = await door.told("GET", "/accounts/quota")
    assert (status, found["success"], found["email"], found["cached"]) == (200, True, "alice@example.com", False)
    assert found["quota"]["usage"]["percentage"] == 25.0


@pytest.mark.parametrize(("age", "cached"), [(299.0, True), (301.0, False)])
async def test_a_quota_is_asked_for_again_after_five_minutes(age: float, cached: bool) -> None:
    door = Door(replace(ALICE, windows=WINDOWS, windows_at=NOW - age))
    assert (await door.told("GET", "/accounts/quota"))[1]["cached"] is cached


async def test_a_quota_is_asked_for_whenever_somebody_says_so() -> None:
    door = Door(replace(ALICE, windows=WINDOWS, windows_at=NOW))
    found = (await door.told("GET", f"/accounts/quota?email={quote(ALICE.email)}&refresh=true"))[1]
    assert (found["cached"], found["quota"]["usage"]["percentage"]) == (False, 25.0)


async def test_a_quota_that_cannot_be_had_is_told_as_it_was() -> None:
    door = Door(replace(ALICE, windows=WINDOWS, windows_at=NOW - 999))
    door.book.fails["acc_a"] = GONE
    status, found = await door.told("GET", "/accounts/quota")
    assert (status, found["cached"], found["warning"]) == (200, True, "Using cached data due to fetch error")
    assert found["quota"]["usage"]["percentage"] == 75.0


@pytest.mark.parametrize("path", ["/accounts/quota", "/accounts/usage", "/accounts/models"])
async def test_what_a_vendor_does_not_tell_is_told_with_500(door: Door, path: str) -> None:
    door.book.fails["acc_a"] = GONE
    status, refused = await door.told("GET", path)
    assert (status, refused["success"], refused["error"]) == (500, False, "the issuer cannot be reached")


@pytest.mark.parametrize("path", ["/accounts/quota", "/accounts/usage", "/accounts/models"])
async def test_of_an_account_that_is_not_there_nothing_is_told(path: str) -> None:
    status, refused = await Door(BOB).told("GET", path)
    assert (status, refused["success"], refused["error"]) == (404, False, "No active account")
    status, refused = await Door(BOB).told("GET", f"{path}?email=nobody")
    assert (status, refused["error"]) == (404, "Account not found: nobody")


async def test_all_quotas_are_asked_for_anew_and_a_few_at_a_time() -> None:
    many = [replace(BOB, id=f"acc_{n}", name=f"n{n}", email=f"n{n}@example.com") for n in range(20)]
    door = Door(*many)
    status, found = await door.told("GET", "/accounts/quota/all")
    assert (status, len(found["accounts"])) == (200, 20)
    assert {one["quota"]["usage"]["percentage"] for one in found["accounts"]} == {25.0}
    assert door.book.most_running == 4


async def test_one_quota_that_cannot_be_had_leaves_the_others(door: Door) -> None:
    door.book.fails["acc_a"] = GONE
    first, second = (await door.told("GET", "/accounts/quota/all"))[1]["accounts"]
    assert first == {"email": "alice@example.com", "quota": None, "warning": "the issuer cannot be reached"}
    assert (second["email"], second["quota"]["usage"]["percentage"]) == ("Bob+work@example.com", 25.0)


async def test_use_is_told_with_the_vendors_own_words() -> None:
    door = Door(replace(ALICE, windows=WINDOWS, windows_at=NOW))
    status, found = await door.told("GET", "/accounts/usage")
    assert (status, found["success"], found["email"]) == (200, True, "alice@example.com")
    assert (found["usage"]["percentage"], found["usage"]["raw"]["plan_type"]) == (25.0, "plus")


async def test_models_are_told_in_its_fields(door: Door) -> None:
    status, found = await door.told("GET", "/accounts/models?email=Bob%2Bwork%40example.com")
    assert (status, found["success"], found["email"]) == (200, True, "Bob+work@example.com")
    assert found["models"] == [
        {
            "id": "gpt-5.2",
            "name": "GPT-5.2",
            "description": "Thinks.",
            "defaultReasoningLevel": "medium",
            "supportedReasoningLevels": [{"effort": "low"}, {"effort": "medium"}],
            "contextWindow": None,
        }
    ]


async def test_without_a_store_its_routes_say_so() -> None:
    visit = await Managed().ask("GET", "/accounts", JSON)
    assert (visit.status, told(visit)["success"]) == (501, False)
    assert "store" in told(visit)["error"]


async def test_nothing_that_is_told_holds_a_token(door: Door) -> None:
    bodies = b""
    for path in (
        "/accounts",
        "/accounts/status",
        "/accounts/usage",
        "/accounts/models",
        "/accounts/quota/all",
        "/health",
    ):
        bodies += (await door.ask("GET", f"/accounts{path}")).body
    for path in ("/add", "/refresh", "/refresh/all", "/import"):
        bodies += (await door.ask("POST", f"/accounts{path}")).body
    assert [secret for secret in PLANTED if secret.encode() in bodies] == []
