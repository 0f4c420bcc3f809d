"""Who may manage, from where, and how they are told that they may not."""

import hashlib

import pytest

from isthmus.engine.clients import Client
from isthmus.server.admin.attempts import FREE
from support.administering import ELSEWHERE, HERE, OPERATOR, OWNER, VIEWER, Header, Managed, key, management, told

LOOK = ("GET", "/admin/rests")
CHANGE = ("DELETE", "/admin/rests")


@pytest.mark.parametrize("what", [LOOK, CHANGE])
async def test_without_a_secret_a_program_on_this_machine_may_do_all(what: tuple[str, str]) -> None:
    assert (await Managed().ask(*what)).status == 200


@pytest.mark.parametrize("host", [b"localhost", b"localhost:8317", b"127.0.0.1", b"[::1]:8317", b"[::1]", b"LOCALHOST"])
async def test_this_machine_has_several_names(host: bytes) -> None:
    assert (await Managed().ask(*LOOK, (b"host", host))).status == 200


async def test_with_a_secret_a_program_on_this_machine_may_look_and_change_nothing() -> None:
    managed = Managed(OWNER)
    assert (await managed.ask(*LOOK)).status == 200
    refused = await managed.ask(*CHANGE)
    assert refused.status == 401
    assert "send the management key" in told(refused)["error"]["message"]


async def test_where_programs_of_this_machine_are_not_trusted_they_send_a_key_too() -> None:
    managed = Managed(OWNER, local=False)
    assert (await managed.ask(*LOOK)).status == 401
    assert (await managed.ask(*LOOK, key(OWNER))).status == 200


async def test_nobody_is_trusted_without_a_key_where_there_is_none_and_programs_are_not() -> None:
    assert (await Managed(local=False).ask(*LOOK)).status == 401


@pytest.mark.parametrize(
    "header", [key(OWNER), (b"authorization", b"Bearer " + OWNER), (b"authorization", b"bearer  " + OWNER + b" ")]
)
async def test_a_secret_is_sent_in_either_header(header: Header) -> None:
    assert (await Managed(OWNER).ask(*CHANGE, header)).status == 200


async def test_every_administrator_has_a_role() -> None:
    managed = Managed(OWNER, OPERATOR, VIEWER)
    statuses = [(await managed.ask(*CHANGE, key(secret))).status for secret in (OWNER, OPERATOR, VIEWER)]
    assert statuses == [200, 200, 403]


async def test_a_role_that_is_too_small_is_told_which_it_takes() -> None:
    refused = await Managed(OWNER, VIEWER).ask(*CHANGE, key(VIEWER))
    assert told(refused)["error"] == {
        "type": "permission_error",
        "message": "this takes the role operator, and vera has the role viewer",
        "code": "forbidden",
    }


@pytest.mark.parametrize("header", [key(b"wrong"), (b"authorization", b"Bearer wrong"), key(OWNER[:-1])])
async def test_a_wrong_secret_is_refused_even_where_none_is_needed(header: Header) -> None:
    refused = await Managed(OWNER).ask(*LOOK, header)
    assert refused.status == 401
    assert refused.headers[b"www-authenticate"] == b"Bearer"


async def test_a_clients_own_key_is_not_taken_for_a_secret() -> None:
    managed = Managed(OWNER)
    managed.configure(clients={hashlib.sha256(b"sk-client").digest(): Client("laptop")})
    sent = (b"authorization", b"Bearer sk-client")
    assert (await managed.ask(*LOOK, sent)).status == 200
    assert (await managed.ask(*CHANGE, sent)).status == 401


async def test_from_elsewhere_nothing_is_open_without_a_secret() -> None:
    for managed in (Managed(), Managed(remote=True), Managed(apart=True)):
        assert (await managed.ask(*LOOK, peer=ELSEWHERE)).status == 403


async def test_from_elsewhere_a_secret_is_not_enough() -> None:
    refused = await Managed(OWNER).ask(*LOOK, key(OWNER), peer=ELSEWHERE)
    assert refused.status == 403
    assert "admin.remote" in told(refused)["error"]["message"]


async def test_where_it_is_allowed_a_secret_opens_management_from_elsewhere() -> None:
    managed = Managed(OWNER, remote=True)
    assert (await managed.ask(*CHANGE, key(OWNER), peer=ELSEWHERE)).status == 200
    assert (await managed.ask(*LOOK, peer=ELSEWHERE)).status == 401


async def test_with_a_listener_of_its_own_management_is_open_to_others_there_alone() -> None:
    managed = Managed(OWNER, apart=True, remote=True)
    assert (await managed.ask(*LOOK, key(OWNER), peer=ELSEWHERE, apart=True)).status == 200
    assert (await managed.ask(*LOOK, peer=ELSEWHERE, apart=True)).status == 401
    refused = await managed.ask(*LOOK, key(OWNER), peer=ELSEWHERE)
    assert refused.status == 403
    assert "admin.listener" in told(refused)["error"]["message"]


async def test_programs_on_this_machine_manage_at_either_listener() -> None:
    managed = Managed(OWNER, apart=True)
    assert (await managed.ask(*LOOK)).status == 200
    assert (await managed.ask(*LOOK, apart=True)).status == 200


@pytest.mark.parametrize("path", ["/v1/models", "/health", "/", "/metrics", "/v1/chat/completions"])
async def test_a_listener_for_management_serves_nothing_else(path: str) -> None:
    assert (await Managed().ask("GET", path, apart=True)).status == 404


async def test_who_guesses_must_wait() -> None:
    managed = Managed(OWNER, remote=True)
    for _ in range(FREE):
        assert (await managed.ask(*LOOK, key(b"guess"), peer=ELSEWHERE)).status == 401
    refused = await managed.ask(*LOOK, key(OWNER), peer=ELSEWHERE)
    assert (refused.status, refused.headers[b"retry-after"]) == (429, b"1")
    managed.line.clock.move(1.0)
    assert (await managed.ask(*LOOK, key(OWNER), peer=ELSEWHERE)).status == 200


async def test_the_right_secret_is_never_locked_out_on_this_machine() -> None:
    managed = Managed(OWNER)
    for _ in range(FREE):
        await managed.ask(*LOOK, key(b"guess"))
    assert (await managed.ask(*LOOK, key(b"guess"))).status == 429
    assert (await managed.ask(*LOOK)).status == 200
    assert (await managed.ask(*CHANGE, key(OWNER))).status == 200


async def test_a_guess_at_metrics_counts_as_one() -> None:
    managed = Managed(OWNER, remote=True)
    for _ in range(FREE):
        assert (await managed.ask("GET", "/metrics", key(b"guess"), peer=ELSEWHERE)).status == 401
    assert (await managed.ask(*LOOK, key(OWNER), peer=ELSEWHERE)).status == 429


async def test_what_a_program_of_this_machine_sends_to_a_client_route_is_no_guess() -> None:
    managed = Managed(OWNER)
    body = b'{"model":"one/m","messages":[{"role":"user","content":"hi"}]}'
    for _ in range(FREE + 1):
        visit = await managed.ask("POST", "/v0/explain", (b"authorization", b"Bearer anything"), body=body)
        assert told(visit)["candidates"][0]["key"] == "key", "it manages, so it sees the names of keys"
    assert (await managed.ask(*CHANGE, key(b"guess"))).status == 401, "and not 429"


@pytest.mark.parametrize(
    "header", [(b"x-forwarded-for", b"127.0.0.1"), (b"forwarded", b"for=127.0.0.1"), (b"x-real-ip", b"127.0.0.1")]
)
async def test_what_a_proxy_on_this_machine_passes_on_comes_from_elsewhere(header: Header) -> None:
    assert (await Managed().ask(*LOOK, header)).status == 403
    assert (await Managed(OWNER, remote=True).ask(*LOOK, header)).status == 401


async def test_a_changed_secret_is_in_force_at_once() -> None:
    managed = Managed(OWNER)
    managed.configure(management=management(VIEWER))
    assert (await managed.ask(*LOOK, key(OWNER))).status == 401
    assert (await managed.ask(*LOOK, key(VIEWER), HERE)).status == 200


async def test_who_was_refused_is_counted_by_the_kind_of_error_and_who_was_not_is_not() -> None:
    managed = Managed(OWNER, VIEWER)
    await managed.ask(*LOOK, key(OWNER))
    await managed.ask(*LOOK, key(b"guess"))
    await managed.ask(*CHANGE, key(VIEWER))
    assert managed.app.office.refused == {"unauthenticated": 1, "forbidden": 1}
