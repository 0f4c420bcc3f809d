"""Who may read metrics, and where."""

import asyncio
import hashlib
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TypeAlias

import pytest
from msgspec.structs import replace

from fakes.gateway import CLIENT_KEY, between, open_gateway
from fakes.upstream import Upstream
from isthmus.engine.clients import Client
from isthmus.engine.management import Actor, Management, Role
from isthmus.telemetry import page as pages
from isthmus.telemetry.sums import Series
from isthmus.wire import json
from support.administering import HERE
from support.asgi import Visit
from support.line import Line, provider
from support.metering import Meter, samples

AWAY = "192.0.2.7"
KEY, MANAGEMENT = "sk-client-0123456789", "manage-me-0123456789"
Header: TypeAlias = tuple[bytes, bytes]
NAME = "alice-of-accounting"


def meter(**fields: object) -> Meter:
    line = Line([provider("one")], {"one": []})
    line.live.swap(replace(line.live.take().snapshot, **fields))
    return Meter(line)


def keyed() -> Meter:
    return meter(
        clients={hashlib.sha256(KEY.encode()).digest(): Client(NAME)},
        management=Management(secrets={hashlib.sha256(MANAGEMENT.encode()).digest(): Actor("owner", Role.OWNER)}),
    )


async def get(
    made: Meter, path: str = "/metrics", *headers: Header, method: str = "GET", peer: str = "127.0.0.1"
) -> Visit:
    host = () if any(name == b"host" for name, _ in headers) else (HERE,)
    visit = Visit(made.application, path, method=method, headers=(*host, *headers), peer=peer)
    return await visit.done()


async def test_a_program_on_this_machine_reads_them_as_text() -> None:
    visit = await get(meter())
    assert visit.status == 200
    assert visit.headers[b"content-type"] == b"text/plain; version=0.0.4; charset=utf-8"
    assert samples(visit.body)["isthmus_exchanges_running"] == 0


@pytest.mark.parametrize(
    "header",
    [
        (b"authorization", b"Bearer " + KEY.encode()),
        (b"x-api-key", KEY.encode()),
        (b"x-management-key", MANAGEMENT.encode()),
    ],
)
async def test_a_client_key_or_the_management_key_opens_them_from_elsewhere(header: tuple[bytes, bytes]) -> None:
    assert (await get(keyed(), "/metrics", header, peer=AWAY)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        (b"host", b"attacker.example.com"),
        (b"x-forwarded-for", b"192.0.2.7"),
        (b"origin", b"http://localhost:3000"),
    ],
    ids=["a name made to lead here", "behind a proxy", "a page"],
)
async def test_what_only_comes_by_way_of_this_machine_is_no_program_on_it(header: Header) -> None:
    assert (await get(keyed(), "/metrics", header)).status == 401


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer sk-wrong"),)])
async def test_nobody_else_reads_them_from_elsewhere(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    visit = await get(keyed(), "/metrics", *headers, peer=AWAY)
    assert visit.status == 401
    assert b"isthmus_" not in visit.body


async def test_no_client_key_is_no_right_where_none_is_configured() -> None:
    assert (await get(meter(), "/metrics", (b"authorization", b"Bearer any"), peer=AWAY)).status == 401


async def test_no_client_and_no_key_is_named_on_the_page() -> None:
    made = keyed()
    made.line.transport.scripts["one.example.com"] = []
    await made.ask(b'{"model":"nobody/m","messages":[]}', headers=((b"authorization", b"Bearer " + KEY.encode()),))
    body = (await get(made)).body.decode()
    assert "isthmus_exchanges_total{" in body
    assert not [word for word in (NAME, KEY, MANAGEMENT) if word in body]


async def test_they_are_where_the_configuration_has_them() -> None:
    made = meter(metrics_path="/numbers")
    assert (await get(made, "/numbers")).status == 200
    assert (await get(made, "/metrics")).status == 404


async def test_they_are_nowhere_when_they_are_off() -> None:
    made = meter(metrics_path=None)
    visit = await get(made)
    assert visit.status == 404
    assert json.decode(visit.body)["error"]["message"] == "nothing is served at /metrics"


async def test_what_is_listed_is_where_they_are() -> None:
    listed = [json.decode((await get(meter(metrics_path=path), "/")).body)["endpoints"] for path in ("/numbers", None)]
    assert [("GET /metrics" in one, "GET /numbers" in one) for one in listed] == [(False, True), (False, False)]


async def test_what_is_served_at_their_path_stays_there() -> None:
    visit = await get(meter(metrics_path="/health"), "/health")
    assert visit.headers[b"content-type"] == b"application/json"


async def test_only_reading_is_possible() -> None:
    assert (await get(meter(), method="POST")).status == 405
    assert (await get(meter(metrics_path="/numbers"), "/numbers", method="POST")).status == 404


async def test_the_page_is_made_in_a_thread_so_that_requests_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, where = threading.Event(), threading.Event(), set()

    def write(series: Series) -> bytes:
        where.add(threading.get_ident())
        begun.set()
        assert go_on.wait(5)
        return b""

    monkeypatch.setattr(pages, "write_page", write)
    made = meter()
    reading = asyncio.create_task(get(made))
    async with asyncio.timeout(5):
        while not begun.is_set():
            await asyncio.sleep(0)
    assert (await get(made, "/health")).status == 200
    go_on.set()
    assert (await reading).status == 200
    assert threading.get_ident() not in where


def fetch(root: str, path: str, body: object = None) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "connection": "close"}
    asking = urllib.request.Request(root + path, None if body is None else json.encode(body), headers)
    try:
        with urllib.request.urlopen(asking, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_two_workers_tell_the_sums_of_both(upstream: Upstream, tmp_path: Path) -> None:
    asked = 12
    body = {"model": "openai/says-hello", "messages": [{"role": "user", "content": "hi"}]}
    with open_gateway(between(upstream), tmp_path, workers=2) as gateway:
        for _ in range(asked):
            assert fetch(gateway.root, "/v1/chat/completions", body)[0] == 200
        deadline = time.monotonic() + 10
        while True:
            found = samples(fetch(gateway.root, "/metrics")[1])
            if found.get("llm_requests_total{model=says-hello,provider=openai}") == asked:
                break
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        for _ in range(6):
            found = samples(fetch(gateway.root, "/metrics")[1])
            assert found["llm_requests_total{model=says-hello,provider=openai}"] == asked
            assert found["llm_request_duration_seconds_count{provider=openai}"] == asked
