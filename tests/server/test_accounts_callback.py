"""Where a browser comes back to after a sign-in, and what /health tells of accounts, and to whom."""

from typing import Any

import pytest
from msgspec.structs import replace

from fakes.account_book import GOOD_CODE
from isthmus.engine.accounts import Account, SignInProgress
from support.administering import ELSEWHERE, OWNER, Header, key, told
from support.asgi import Visit
from support.signed_in import ALICE, BOB, ROBOT, Door


@pytest.fixture
def door() -> Door:
    return Door(ALICE, BOB, ROBOT)


async def test_a_browser_that_comes_back_ends_its_sign_in(door: Door) -> None:
    state = await door.begin()
    visit = await door.ask("GET", f"/auth/callback?code={GOOD_CODE}&state={state}")
    assert (visit.status, visit.headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert b"Signed in" in visit.body
    assert door.book.pending[state].progress is SignInProgress.COMPLETED


async def test_the_issuers_site_may_send_a_browser_back(door: Door) -> None:
    arriving = ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document"))
    state = await door.begin()
    visit = await door.ask("GET", f"/auth/callback?code={GOOD_CODE}&state={state}", None, *arriving)
    assert visit.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"no-cors"), (b"sec-fetch-dest", b"image")),
        ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"iframe")),
        ((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"cors"), (b"sec-fetch-dest", b"empty")),
        ((b"sec-fetch-site", b"same-site"),),
        (
            (b"origin", b"null"),
            (b"sec-fetch-site", b"cross-site"),
            (b"sec-fetch-mode", b"navigate"),
            (b"sec-fetch-dest", b"document"),
        ),
        ((b"host", b"evil.example.com"), (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document")),
        ((b"x-forwarded-for", b"192.0.2.1"),),
    ],
    ids=["an image", "a frame", "a script", "another port", "a form", "a name made to lead here", "a proxy"],
)
async def test_nothing_else_of_a_page_comes_back_here(door: Door, headers: tuple[Header, ...]) -> None:
    state = await door.begin()
    visit = await door.ask("GET", f"/auth/callback?code={GOOD_CODE}&state={state}", None, *headers)
    assert visit.status in (401, 403)
    assert door.book.finished == []


@pytest.mark.parametrize("query", ["", f"code={GOOD_CODE}", f"code={GOOD_CODE}&state=guessed", "state=guessed"])
async def test_a_browser_with_another_state_ends_nothing(door: Door, query: str) -> None:
    await door.begin()
    visit = await door.ask("GET", f"/auth/callback?{query}")
    assert (visit.status, visit.headers[b"content-type"]) == (400, b"text/html; charset=utf-8")
    assert b"Not signed in" in visit.body
    assert door.book.adopted == []


async def test_what_a_browser_brings_is_not_shown_as_html(door: Door) -> None:
    door.book.fails = {}
    state = await door.begin()
    visit = await door.ask("GET", f"/auth/callback?code=%3Cscript%3Ealert(1)%3C/script%3E&state={state}")
    assert b"<script" not in visit.body
    evil = replace(ALICE, id="acc_x", name="x", email="<img src=x onerror=alert(1)>@example.com")
    assert b"<img" not in (await _page_for(evil)).body


async def _page_for(account: Account) -> Visit:
    """The page after a sign-in as this account."""
    door = Door()

    async def adopted(*_: object, **__: object) -> Account:
        return account

    door.book.adopt = adopted  # type: ignore[method-assign]  # this one test's issuer
    state = await door.begin()
    return await door.ask("GET", f"/auth/callback?code={GOOD_CODE}&state={state}")


async def test_the_page_has_no_script_and_tells_no_other_site(door: Door) -> None:
    visit = await door.ask("GET", "/auth/callback?code=c&state=s")
    policy = visit.headers[b"content-security-policy"]
    assert policy == b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    assert visit.headers[b"referrer-policy"] == b"no-referrer"
    assert visit.headers[b"cache-control"] == b"no-store"
    assert visit.headers[b"x-frame-options"] == b"DENY"


async def test_a_look_at_the_page_without_asking_for_it_ends_nothing(door: Door) -> None:
    state = await door.begin()
    await door.ask("HEAD", f"/auth/callback?code={GOOD_CODE}&state={state}")
    assert door.book.finished == []


async def test_a_browser_elsewhere_does_not_come_back_here() -> None:
    door = Door(ALICE, secrets=(OWNER,), remote=True)
    visit = await door.ask("GET", "/auth/callback?code=c&state=s", peer=ELSEWHERE)
    assert (visit.status, visit.headers[b"content-type"]) == (401, b"text/html; charset=utf-8")


async def test_neither_code_nor_state_reaches_the_log_or_the_audit(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    state = await door.begin()
    with caplog.at_level("DEBUG"):
        await door.ask("GET", f"/auth/callback?code=wrong-code&state={state}")
        await door.ask("GET", "/auth/callback?code=wrong-code&state=other-state")
    everything = caplog.text + str(door.managed.records.noted)
    assert [deed.what for deed in door.managed.records.noted][1:] == ["GET /auth/callback"] * 2
    assert [secret for secret in ("wrong-code", state, "other-state") if secret in everything] == []


async def test_health_tells_programs_of_this_machine_of_accounts(door: Door) -> None:
    status, found = await door.told("GET", "/health")
    assert (status, found["status"], found["total"], found["active"]) == (200, "ok", 2, "alice@example.com")
    assert found["accounts"][0]["email"] == "alice@example.com"


@pytest.mark.parametrize(
    ("headers", "how"),
    [
        ((), {"peer": ELSEWHERE}),
        (((b"host", b"evil.example.com"),), {}),
        (((b"origin", b"http://127.0.0.1:3000"),), {}),
        (((b"x-forwarded-for", b"192.0.2.1"),), {}),
    ],
    ids=["elsewhere", "a name made to lead here", "a page of another port", "behind a proxy"],
)
async def test_health_tells_nobody_else_whose_accounts_there_are(
    door: Door, headers: tuple[Header, ...], how: Any
) -> None:
    visit = await door.ask("GET", "/health", None, *headers, **how)
    assert visit.status == 200
    assert b"alice" not in visit.body
    assert b"accounts" not in visit.body


async def test_health_tells_an_administrator_elsewhere() -> None:
    door = Door(ALICE, secrets=(OWNER,), remote=True)
    door.managed.configure(clients={})
    visit = await door.ask("GET", "/health", None, key(OWNER))
    assert told(visit)["active"] == "alice@example.com"


async def test_health_of_thousands_of_accounts_is_bounded() -> None:
    many = [replace(BOB, id=f"acc_{n}", name=f"n{n}", email=f"n{n}@example.com") for n in range(1000)]
    found = (await Door(*many).told("GET", "/health"))[1]
    assert (found["total"], len(found["accounts"])) == (1000, 100)
