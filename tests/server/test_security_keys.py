"""What went wrong with client keys in other gateways does not go wrong in this one. One test for each lesson."""

import hashlib
import logging
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from fakes.records import FakeRecords
from fakes.transport import Scripted
from isthmus.engine.clients import Auth, Client
from isthmus.engine.keyring import Keyring, digest_of, hint_of, new_text
from isthmus.engine.records import ClientKey, Permits
from isthmus.server.endpoints import ENDPOINTS, Serves
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

CHAT = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":9,"input":"hi"}'
OPEN = frozenset(
    {Serves.ROOT, Serves.HEALTH, Serves.READY, Serves.OLLAMA_VERSION, Serves.MANAGED, Serves.SOCKET, Serves.METRICS}
)
"""What tells nothing of models or clients, or asks for more than a client key."""
ROUTES = [
    (method, path.replace("*", "m:generateContent" if endpoint.serves is Serves.VERB else "m"))
    for path, methods in ENDPOINTS.items()
    for method, endpoint in methods.items()
    if endpoint.serves not in OPEN
]
ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}'
)


def key_of(text: str, name: str, **more: Any) -> ClientKey:
    key = ClientKey(id=f"key_{name}", name=name, digest=digest_of(text), hint=hint_of(text), created_at=0.0)
    return replace(key, **more)


class Gateway:
    """One that gives out keys, as strangers see it: from another machine."""

    def __init__(self, *keys: ClientKey, auth: Auth = Auth.AUTO) -> None:
        self.line = Line([provider("one", "anthropic")], {"one": [Scripted(ANSWER) for _ in range(9)]})
        self.line.live.swap(replace(self.line.live.take().snapshot, auth=auth))
        self.records = FakeRecords(*keys)
        self.clock: FakeClock = self.line.clock
        self.ring = Keyring(self.line.live, self.records, self.clock)

    async def ask(self, method: str, path: str, text: str | bytes | None = None, *, body: bytes = CHAT) -> Visit:
        said = text.encode() if isinstance(text, str) else text
        headers = () if said is None else ((b"authorization", b"Bearer " + said),)
        app = application(self.line)
        return await Visit(app, path, body, method=method, headers=headers, peer="198.51.100.7").done()


async def opened(*keys: ClientKey, auth: Auth = Auth.AUTO) -> Gateway:
    gateway = Gateway(*keys, auth=auth)
    await gateway.ring.refresh()
    return gateway


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_for_clients_asks_for_a_key(method: str, path: str) -> None:
    gateway = await opened(key_of("right", "alice"))
    for text in (None, "wrong"):
        assert (await gateway.ask(method, path, text)).status == 401
    assert not gateway.line.transport.sent


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_where_the_store_cannot_be_heard_no_route_lets_anybody_in_or_calls_a_key_wrong(
    method: str, path: str
) -> None:
    gateway = Gateway(key_of("right", "alice"))
    for text in (None, "right", "wrong"):
        assert (await gateway.ask(method, path, text)).status == 503
    assert not gateway.line.transport.sent


@pytest.mark.parametrize("auth", [Auth.AUTO, Auth.REQUIRED])
async def test_a_store_that_has_been_gone_for_too_long_lets_nobody_in(auth: Auth) -> None:
    gateway = await opened(key_of("right", "alice"), auth=auth)
    gateway.records.gone = True
    gateway.clock.move(301)
    await gateway.ring.look()
    for text in ("right", "wrong"):
        visit = await gateway.ask("POST", "/v1/messages", text)
        assert (visit.status, visit.headers[b"retry-after"]) == (503, b"5")


async def test_a_key_that_is_believed_outlives_the_store() -> None:
    gateway = await opened(key_of("right", "alice", believed=True), key_of("other", "bob"))
    gateway.records.gone = True
    gateway.clock.move(301)
    await gateway.ring.look()
    assert (await gateway.ask("POST", "/v1/messages", "right")).status == 200
    assert (await gateway.ask("POST", "/v1/messages", "other")).status == 503


@pytest.mark.parametrize(
    "text", ["' OR '1'='1", "right'; DROP TABLE client_keys; --", "%", "*", "right\x00", "x" * 5000]
)
async def test_a_presented_key_reaches_no_query(text: str) -> None:
    gateway = await opened(key_of("right", "alice"))
    before = dict(gateway.records.asked)
    assert (await gateway.ask("POST", "/v1/messages", text)).status == 401
    assert gateway.records.asked == before


async def test_keys_are_told_apart_by_all_of_their_characters() -> None:
    text = new_text()
    gateway = await opened(key_of(text, "alice"))
    assert (await gateway.ask("POST", "/v1/messages", text)).status == 200
    for other in (text[:-1], text + "x", text[:20], text.upper(), text[:-1] + ("a" if text[-1] != "a" else "b")):
        assert (await gateway.ask("POST", "/v1/messages", other)).status == 401


async def test_only_whole_digests_are_looked_up() -> None:
    gateway = await opened(key_of("right", "alice"))
    assert list(gateway.line.live.take().snapshot.clients) == [hashlib.sha256(b"right").digest()]


async def test_a_digest_is_no_key() -> None:
    gateway = await opened(key_of("right", "alice"))
    digest = digest_of("right")
    for text in (digest.hex(), digest.hex().upper(), digest.replace(b"\n", b"").replace(b"\r", b"")):
        assert (await gateway.ask("POST", "/v1/messages", text)).status == 401


async def test_a_refused_key_is_neither_repeated_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    gateway = await opened(key_of("right", "alice"), key_of("disabled-key-0123", "bob", disabled=True))
    with caplog.at_level(logging.DEBUG):
        for text in ("isk_wrong-0123456789", "disabled-key-0123"):
            visit = await gateway.ask("POST", "/v1/messages", text)
            assert visit.status == 401
            assert text.encode() not in visit.body
            assert text not in caplog.text


@pytest.mark.parametrize(
    ("method", "what"), [("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")]
)
async def test_what_is_kept_for_one_client_is_nobody_elses(method: str, what: str) -> None:
    gateway = await opened(key_of("hers", "alice"), key_of("his", "bob"))
    made = json.decode((await gateway.ask("POST", "/v1/responses", "hers")).body)["id"]
    assert (await gateway.ask(method, f"/v1/responses/{made}{what}", "his", body=b"")).status == 404
    assert (await gateway.ask("GET", f"/v1/responses/{made}", "hers", body=b"")).status == 200


async def test_nobody_goes_on_from_an_answer_of_another_client() -> None:
    gateway = await opened(key_of("hers", "alice"), key_of("his", "bob"))
    made = json.decode((await gateway.ask("POST", "/v1/responses", "hers")).body)["id"]
    body = json.encode({"model": "m", "input": "and?", "previous_response_id": made})
    assert (await gateway.ask("POST", "/v1/responses", "hers", body=body)).status == 200
    assert (await gateway.ask("POST", "/v1/responses", "his", body=body)).status == 400


async def test_who_is_given_a_name_that_was_another_clients_finds_nothing_of_theirs() -> None:
    gateway = await opened(key_of("hers", "alice"))
    made = json.decode((await gateway.ask("POST", "/v1/responses", "hers")).body)["id"]
    await gateway.ring.remove("key_alice")
    await gateway.ring.add(key_of("new", "alice", id="key_another"))
    assert (await gateway.ask("GET", f"/v1/responses/{made}", "new", body=b"")).status == 404


async def test_a_rotated_key_keeps_what_is_its_clients() -> None:
    gateway = await opened(key_of("old", "alice"))
    made = json.decode((await gateway.ask("POST", "/v1/responses", "old")).body)["id"]
    await gateway.ring.change(key_of("new", "alice"))
    assert (await gateway.ask("GET", f"/v1/responses/{made}", "new", body=b"")).status == 200


@pytest.mark.parametrize("header", [b"x-forwarded-for", b"x-real-ip", b"forwarded", b"x-isthmus-client", b"x-user"])
async def test_no_header_makes_somebody_a_client(header: bytes) -> None:
    gateway = await opened(key_of("right", "alice"))
    headers = ((header, b"127.0.0.1"), (header, b"alice"), (b"host", b"127.0.0.1"))
    app = application(gateway.line)
    visit = await Visit(app, "/v1/messages", CHAT, headers=headers, peer="198.51.100.7").done()
    assert visit.status == 401


async def test_no_field_of_a_request_widens_what_its_client_may_use() -> None:
    gateway = await opened(key_of("right", "alice", permits=Permits(models=("claude-*",))))
    for extra in (b'"permits":{}', b'"models":["m"]', b'"fallbacks":["m"]', b'"route":"m"', b'"user":"root"'):
        body = CHAT[:-1] + b"," + extra + b"}"
        assert (await gateway.ask("POST", "/v1/messages", "right", body=body)).status == 403
    assert not gateway.line.transport.sent


def test_no_part_of_a_client_can_be_printed_that_is_a_secret() -> None:
    key = key_of("isk_secret-0123456789", "alice")
    assert "secret-0123456789" not in repr(key) + repr(Client("alice"))
