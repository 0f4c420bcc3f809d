"""What went wrong in other gateways' management APIs does not go wrong in this one. One test for each lesson."""

import hashlib

import pytest

from isthmus.config.schema import Config
from isthmus.engine.clients import Client
from isthmus.engine.management import Actor, Management, Role
from isthmus.server.admin.call import Media, Row
from isthmus.server.facades import FACADES
from isthmus.telemetry.ring import Ring
from isthmus.wire import json
from support.administering import ELSEWHERE, OPERATOR, OWNER, VIEWER, Header, Managed, key, told
from support.line import KEY

JSON = (b"content-type", b"application/json")
ROWS = [row for facade in FACADES for row in facade.rows]
LOOK = ("GET", "/admin/status")
CHAT = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]%s}'


def named(row: Row) -> str:
    return f"{row.method} {row.path}"


def asked(template: str) -> str:
    return "/".join("x" if part.startswith("{") else part for part in template.split("/"))


@pytest.mark.parametrize(
    "field", ["api_base", "base_url", "api_key", "proxy_url", "headers", "extra_headers", "user_config"]
)
async def test_where_a_provider_is_never_comes_from_a_request(field: str) -> None:
    managed = Managed()
    await managed.ask(
        "POST", "/v1/chat/completions", JSON, body=CHAT % b',"%b":"https://attacker.example.com"' % field.encode()
    )
    for sent in managed.line.transport.sent:
        assert sent.origin.host == "one.example.com"


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_without_a_configured_secret_management_is_closed_to_others_and_not_open(row: Row) -> None:
    for managed in (Managed(), Managed(remote=True), Managed(apart=True), Managed(local=False)):
        for apart in (False, True):
            visit = await managed.ask(row.method, asked(row.path), peer=ELSEWHERE, apart=apart)
            assert visit.status == 403


def test_by_default_only_this_machine_is_listened_to_and_others_may_not_manage() -> None:
    config = Config()
    assert [one.host for one in config.listeners] == ["127.0.0.1"]
    assert not config.admin.remote
    assert config.admin.listener is None
    assert not Management().remote


@pytest.mark.parametrize(
    "headers",
    [
        ((b"host", b"127.0.0.1:8317"),),
        ((b"host", b"localhost/health?"),),
        ((b"host", b"127.0.0.1"), (b"x-forwarded-for", b"127.0.0.1"), (b"x-real-ip", b"127.0.0.1")),
        ((b"host", b"gateway.example.com"), (b"forwarded", b"for=127.0.0.1;host=localhost")),
        ((b"x-original-url", b"/health"), (b"x-rewrite-url", b"/health")),
        ((b"x-http-method-override", b"GET"),),
    ],
)
async def test_no_header_makes_somebody_a_program_of_this_machine_or_a_path_another(
    headers: tuple[Header, ...],
) -> None:
    for row in ROWS:
        visit = await Managed(OWNER, remote=True).ask(row.method, asked(row.path), *headers, peer=ELSEWHERE)
        assert visit.status == 401, named(row)


@pytest.mark.parametrize(
    "host", [b"attacker.example.com", b"127.0.0.1.attacker.example.com", b"localhost@attacker.example.com"]
)
async def test_a_page_whose_name_was_made_to_lead_here_may_not_manage(host: bytes) -> None:
    managed = Managed()
    assert (await managed.ask(*LOOK, (b"host", host))).status == 401
    same_origin = (b"origin", b"http://" + host)
    assert (await managed.ask(*LOOK, (b"host", host), same_origin)).status == 401


async def test_two_hosts_are_none() -> None:
    assert (await Managed().ask(*LOOK, (b"host", b"127.0.0.1"), (b"host", b"attacker.example.com"))).status == 401


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://attacker.example.com"),
        (b"origin", b"null"),
        (b"origin", b"http://127.0.0.1:3000"),
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-site", b"same-site"),
    ],
)
async def test_a_page_in_a_browser_of_this_machine_may_neither_look_nor_change(header: Header) -> None:
    managed = Managed()
    managed.configure(cors=("*",))
    assert (await managed.ask(*LOOK, header)).status == 403
    assert (await managed.ask("DELETE", "/admin/rests", header)).status == 403


async def test_a_browser_that_asks_beforehand_is_not_told_yes() -> None:
    managed = Managed()
    managed.configure(cors=("*",))
    visit = await managed.ask("OPTIONS", "/admin/rests", (b"origin", b"https://app.example.com"))
    assert visit.status == 405
    assert not [name for name in visit.headers if name.startswith(b"access-control")]


@pytest.mark.parametrize("presented", [b"' OR '1'='1", b"x'; DROP TABLE client_keys; --", b"%", b"*", b"\xff\x00\xfe"])
async def test_a_presented_key_reaches_no_query(presented: bytes) -> None:
    managed = Managed(OWNER)
    for header in (key(presented), (b"authorization", b"Bearer " + presented)):
        assert (await managed.ask(*LOOK, header)).status == 401
    assert managed.records.asked == {}


async def test_keys_that_begin_alike_are_told_apart() -> None:
    first, second = b"a" * 64 + b"1", b"a" * 64 + b"2"
    actors = {
        hashlib.sha256(first).digest(): Actor("one", Role.OWNER),
        hashlib.sha256(second).digest(): Actor("two", Role.VIEWER),
    }
    managed = Managed()
    managed.configure(management=Management(secrets=actors))
    statuses = [(await managed.ask("DELETE", "/admin/rests", key(one))).status for one in (first, second, b"a" * 64)]
    assert statuses == [200, 403, 401]


async def test_a_digest_is_no_password_and_is_never_told() -> None:
    managed = Managed(OWNER)
    digest = hashlib.sha256(OWNER)
    for said in (digest.hexdigest().encode(), digest.digest(), digest.hexdigest().upper().encode()):
        assert (await managed.ask(*LOOK, key(said))).status == 401


@pytest.mark.parametrize("extra", ["role", "actor", "key", "is_admin", "level_name"])
async def test_a_field_that_is_not_meant_to_be_written_is_refused(extra: str) -> None:
    body = json.encode({"level": "info", extra: "owner"})
    visit = await Managed(OPERATOR).ask("PUT", "/admin/debug", JSON, key(OPERATOR), body=body)
    assert (visit.status, told(visit)["error"]["param"]) == (400, extra)


async def test_nobody_gives_themselves_a_role() -> None:
    managed = Managed(OWNER, VIEWER)
    for headers in ((b"x-role", b"owner"), (b"x-management-role", b"owner"), (b"cookie", b"role=owner")):
        assert (await managed.ask("DELETE", "/admin/rests", key(VIEWER), headers)).status == 403
    for query in (b"role=owner", b"key=" + OWNER, b"management_key=" + OWNER):
        assert (await managed.ask("DELETE", "/admin/rests", key(VIEWER), query=query)).status == 403


async def test_the_lesser_of_two_secrets_is_no_way_to_the_greater() -> None:
    managed = Managed(VIEWER)
    assert (await managed.ask("DELETE", "/admin/rests", key(VIEWER), key(OWNER))).status == 403


async def test_there_are_no_sessions_that_could_outlive_their_key() -> None:
    managed = Managed(OWNER)
    visit = await managed.ask(*LOOK, key(OWNER))
    assert b"set-cookie" not in visit.headers
    managed.configure(management=Management(secrets={hashlib.sha256(b"another").digest(): Actor("x", Role.OWNER)}))
    assert (await managed.ask(*LOOK, key(OWNER))).status == 401


async def test_a_secret_in_the_query_is_not_taken_and_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    managed = Managed(OWNER, remote=True)
    with caplog.at_level("DEBUG"):
        visit = await managed.ask("DELETE", "/admin/rests", peer=ELSEWHERE, query=b"key=" + OWNER)
    assert visit.status == 401
    assert OWNER.decode() not in caplog.text
    assert OWNER.decode() not in str(managed.records.noted)


async def test_a_wrong_secret_is_neither_told_nor_kept(caplog: pytest.LogCaptureFixture) -> None:
    managed, guess = Managed(OWNER), b"almost-the-right-secret"
    with caplog.at_level("DEBUG"):
        visit = await managed.ask("DELETE", "/admin/rests", key(guess))
    assert guess not in visit.body
    assert guess.decode() not in caplog.text + str(managed.records.noted)


async def test_a_client_key_opens_no_management() -> None:
    managed = Managed(OWNER, remote=True)
    managed.configure(clients={hashlib.sha256(b"sk-client").digest(): Client("laptop")})
    for row in ROWS:
        visit = await managed.ask(row.method, asked(row.path), (b"x-api-key", b"sk-client"), peer=ELSEWHERE)
        assert visit.status == 401


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.method == "GET" and row.gives != Media("text/event-stream")], ids=named
)
async def test_no_answer_holds_a_secret(row: Row) -> None:
    managed = Managed(OWNER, VIEWER)
    managed.configure(clients={hashlib.sha256(b"sk-client-0123456789").digest(): Client("laptop")})
    visit = await managed.ask(row.method, asked(row.path), key(OWNER))
    for secret in (KEY.encode(), OWNER, VIEWER, b"sk-client-0123456789"):
        assert secret not in visit.body
        assert hashlib.sha256(secret).hexdigest().encode() not in visit.body


@pytest.mark.parametrize("wild", [b"%25", b"_", b"*", b".*", b"%27%20OR%201%3D1"])
async def test_what_is_searched_for_is_text_and_no_pattern(wild: bytes) -> None:
    assert told(await Managed().ask("GET", "/admin/limits", query=b"scope=" + wild))["limits"] == []


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"level":' * 5000,
        b'{"level":"' + b"x" * 60_000 + b'"}',
        b"\x00" * 1000,
        b'{"' + b"x" * 60_000 + b'":1}',
    ],
)
async def test_a_hostile_body_is_the_callers_fault(body: bytes) -> None:
    managed = Managed()
    managed.desk.logs = Ring()
    visit = await managed.ask("PUT", "/admin/debug", JSON, body=body)
    assert visit.status in (400, 413)
    assert len(visit.body) < 1000, "and is not told back to them"


@pytest.mark.parametrize(
    "path", ["/admin/" + "a" * 100_000, "/admin/rests/" + "/" * 3000, "/admin/../admin/rests", "/admin/\x00"]
)
async def test_a_hostile_path_is_nobodys(path: str) -> None:
    assert (await Managed().ask("GET", path)).status in (404, 405)
