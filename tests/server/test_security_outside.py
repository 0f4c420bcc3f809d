"""Management of a real gateway: from this machine, from elsewhere, at a listener of its own; and no secret anywhere."""

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fakes.gateway import CLIENT_KEY, RUNNING, RunningGateway, between, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.server.admin.call import Media
from isthmus.server.facades import FACADES
from isthmus.wire import json

OWNER = "owner-planted-0123456789abcdef"
VIEWER = "viewer-planted-0123456789abcdef"
PLANTED = (KEY, CLIENT_KEY, OWNER, VIEWER, "proxy-planted-0123456789", "header-planted-0123456789")
LEAKING = (
    "planted/planted",
    "openai/fails-401",
    "openai/fails-429-with-key",
    "anthropic/leaks-midway",
    "openai/leaks-midway-in-crumbs",
)
"""Models whose provider says its key, or whose way there has secrets of its own."""
JSON = {"content-type": "application/json"}
ENDLESS = Media("text/event-stream")


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def own_address() -> str:
    """An address of this machine that is no loopback one, so that its peer is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("198.51.100.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback ones")
        address: str = asking.getsockname()[0]
    return address


def ask(
    host: str, port: int, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def administrators(more: str) -> str:
    return f"""
management-key: {OWNER}
admin:
  keys: [{{name: vera, key: {VIEWER}, role: viewer}}]
{more}
"""


@pytest.fixture(scope="module")
def apart(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningGateway, str, int]]:
    """A gateway with a listener for management at an address that others could reach."""
    host = own_address()
    port = free_port(host)
    log = "log: {level: debug, dumps: true, bodies: {requests: true, answers: true}}"
    more = administrators(f"  listener: {{host: {host}, port: {port}}}\n{log}\n")
    planted = f"""
  planted:
    type: compatible
    dialect: openai
    base-url: {upstream.root}/v1
    api-key: {KEY}
    models: [planted]
    enabled: true
    headers: {{x-team: header-planted-0123456789}}
    proxy-url: http://user:proxy-planted-0123456789@127.0.0.1:9
"""
    with open_gateway(between(upstream, providers=planted, more=more), tmp_path_factory.mktemp("apart")) as running:
        RUNNING.remove(running)  # its rests are ended with a key alone
        yield running, host, port


def files(folder: Path) -> dict[str, bytes]:
    """All that the gateway wrote, but for what it was told."""
    found = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found.pop("isthmus.yaml")
    return found


def main_port(gateway: RunningGateway) -> int:
    return int(gateway.root.rpartition(":")[2])


def test_the_listener_for_management_takes_a_secret_and_serves_nothing_else(
    apart: tuple[RunningGateway, str, int],
) -> None:
    _, host, port = apart
    key = {"x-management-key": OWNER}
    assert ask(host, port, "GET", "/admin/status")[0] == 401
    assert ask(host, port, "GET", "/admin/status", key)[0] == 200
    assert ask(host, port, "GET", "/v1/models", {**key, "authorization": f"Bearer {CLIENT_KEY}"})[0] == 404
    assert ask(host, port, "GET", "/health")[0] == 404


def test_programs_of_this_machine_look_at_the_listener_for_clients(apart: tuple[RunningGateway, str, int]) -> None:
    gateway, _, _ = apart
    assert ask("127.0.0.1", main_port(gateway), "GET", "/admin/status")[0] == 200
    assert ask("127.0.0.1", main_port(gateway), "DELETE", "/admin/rests")[0] == 401
    assert ask("127.0.0.1", main_port(gateway), "DELETE", "/admin/rests", {"x-management-key": OWNER})[0] == 200


def test_where_it_listens_is_said(apart: tuple[RunningGateway, str, int]) -> None:
    gateway, host, port = apart
    assert f"Management alone: http://{host}:{port}" in gateway.said()


def test_workers_share_the_listener_for_management(upstream: Upstream, tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    text = between(upstream, more=administrators(f"  listener: {{port: {port}}}\n"))
    with open_gateway(text, tmp_path, workers=2) as running:
        RUNNING.remove(running)
        for _ in range(6):
            assert ask("127.0.0.1", port, "GET", "/admin/status", {"x-management-key": VIEWER})[0] == 200
            assert ask("127.0.0.1", port, "GET", "/v1/models", {"authorization": f"Bearer {CLIENT_KEY}"})[0] == 404
            assert ask("127.0.0.1", main_port(running), "GET", "/health")[0] == 200


def test_others_manage_at_the_listener_for_clients_only_when_they_may(upstream: Upstream, tmp_path: Path) -> None:
    host = own_address()
    port = free_port(host)
    for more, open_to_others in (("  remote: false\n", False), ("  remote: true\n", True)):
        text = between(upstream, more=administrators(more))
        with open_gateway(f"  - {{host: {host}, port: {port}}}\n{text}", tmp_path):
            key = {"x-management-key": OWNER, "host": "127.0.0.1", "x-forwarded-for": "127.0.0.1"}
            assert ask(host, port, "GET", "/admin/status", key)[0] == (200 if open_to_others else 403)
            assert ask(host, port, "GET", "/admin/status", {"host": "127.0.0.1"})[0] == (401 if open_to_others else 403)


def test_no_secret_is_in_any_answer_log_or_file(apart: tuple[RunningGateway, str, int]) -> None:
    gateway, host, port = apart
    key = {"x-management-key": OWNER, "content-type": "application/json"}
    for model in LEAKING:
        chat = {"model": model, "stream": True, "messages": [{"role": "user", "content": f"my key is {CLIENT_KEY}"}]}
        told = ask(
            "127.0.0.1", main_port(gateway), "POST", f"/v1/chat/completions?key={CLIENT_KEY}", JSON, json.encode(chat)
        )[1]
        assert KEY.encode() not in told
    ask(host, port, "PUT", "/admin/debug", key, b'{"level":"info"}')
    ask(host, port, "DELETE", "/admin/rests", {"x-management-key": f"{OWNER}-wrong"})
    answers = {"/metrics": ask("127.0.0.1", main_port(gateway), "GET", "/metrics")[1]}
    answers |= {
        row.path: ask(
            host, port, "GET", row.path.replace("{name...}", "planted/planted").replace("{name}", "planted"), key
        )[1]
        for facade in FACADES
        for row in facade.rows
        if row.method == "GET" and row.gives != ENDLESS
    }
    gateway.said_soon("PUT /admin/debug")
    kept = files(gateway.log.parent)
    deadline = time.monotonic() + 10
    while not any(b"my key is" in text for text in kept.values()):
        assert time.monotonic() < deadline, "what clients say is kept here, so that it can be searched"
        time.sleep(0.05)
        kept = files(gateway.log.parent)
    for secret in PLANTED:
        assert [where for where, text in {**answers, **kept}.items() if secret.encode() in text] == [], secret[:12]
