"""llm-mux's management API, flat and enveloped, in its own shapes."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.server.compat.llm_mux_keys import HIDDEN
from support.asking import ask

MANAGEMENT = "mux-management-0123456789"
CLIENTS = ("sk-planted-client-one", "sk-planted-client-two")
FLAT, ENVELOPED = "/v0/management", "/v1/management"


def config(upstream: Upstream) -> str:
    return f"""\
# Ours.
management-key: {MANAGEMENT}
auth: "off"
client-keys:
  - {{key: {CLIENTS[0]}, name: ada}}  # Ada's
  - {CLIENTS[1]}
limits: {{attempts: 4, wait: 30}}
providers:
  ours: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
aliases: {{fast: ours/says-hello}}
"""


class Door:
    def __init__(self, gateway: RunningGateway, file: Path) -> None:
        self.gateway = gateway
        self.file = file

    def open(
        self, method: str, path: str, body: bytes | None = None, *, key: str | None = MANAGEMENT, kind: str = "json"
    ) -> tuple[int, bytes, Any]:
        headers = {"content-type": f"application/{kind}"} if body is not None else {}
        if key is not None:
            headers["x-management-key"] = key
        return ask(self.gateway.root + path, method, body, headers)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body).encode()
        status, told, _ = self.open(method, path, sent, **more)
        return status, json.loads(told)

    def put_file(self, text: str) -> tuple[int, Any]:
        status, told, _ = self.open("PUT", f"{FLAT}/config.yaml", text.encode(), kind="yaml")
        return status, json.loads(told)

    def chat(self) -> None:
        body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "Hi"}]}).encode()
        asking = urllib.request.Request(f"{self.gateway.root}/v1/chat/completions", body)
        urllib.request.urlopen(asking, timeout=20).close()
        self.gateway.said_soon('"event":"exchange"')


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path) -> Iterator[Door]:
    with open_gateway(config(upstream), tmp_path) as gateway:
        yield Door(gateway, tmp_path / "isthmus.yaml")


def test_what_is_in_force_is_told_in_its_keys_without_secrets(door: Door) -> None:
    status, told = door.ask("GET", f"{FLAT}/config")
    assert status == 200
    assert (told["disable-auth"], told["debug"], told["request-retry"], told["max-retry-interval"]) == (
        True, False, 3, 30.0,
    )  # fmt: skip
    assert told["api-keys"] == [HIDDEN, HIDDEN]
    assert told["routing"]["aliases"] == {"fast": "ours/says-hello"}
    assert [(one["name"], one["type"], one["api-key"]) for one in told["providers"]] == [("ours", "openai", HIDDEN)]


def test_the_file_is_told_as_yaml_without_secrets(door: Door) -> None:
    status, told, headers = door.open("GET", f"{FLAT}/config.yaml")
    assert (status, headers["content-type"], headers["cache-control"]) == (
        200, "application/yaml; charset=utf-8", "no-store",
    )  # fmt: skip
    assert b"# Ours." in told
    assert not any(secret.encode() in told for secret in (MANAGEMENT, KEY, *CLIENTS))


def test_the_file_that_was_told_is_changed_and_put_back(door: Door) -> None:
    _, told, _ = door.open("GET", f"{FLAT}/config.yaml")
    changed = told.decode().replace("fast:", "quick:")
    before = door.file.read_text()
    assert door.put_file(changed) == (200, {"ok": True, "changed": ["config"]})
    assert door.file.read_text() == before.replace("fast:", "quick:")


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [("providers: [", 400, "invalid_yaml"), ("provider: {}\n", 422, "invalid_config")],
    ids=["no YAML", "no configuration"],
)
def test_a_bad_file_is_refused_and_nothing_is_changed(door: Door, text: str, status: int, error: str) -> None:
    before = door.file.read_text()
    answered, told = door.put_file(text)
    assert (answered, told["error"]) == (status, error)
    assert told["message"]
    assert door.file.read_text() == before


def test_a_file_of_its_own_form_changes_what_it_has_words_for(door: Door) -> None:
    assert door.put_file("request-retry: 6\nrouting: {aliases: {swift: ours/says-hello}}\n")[0] == 200
    _, told = door.ask("GET", f"{FLAT}/config")
    assert told["request-retry"] == 6
    assert [one["name"] for one in told["providers"]] == ["ours"]


def test_client_keys_are_listed_without_their_text(door: Door) -> None:
    assert door.ask("GET", f"{FLAT}/api-keys") == (200, {"api-keys": [HIDDEN, HIDDEN]})


def test_a_list_takes_the_place_of_all_keys_but_those_whose_stars_come_back(door: Door) -> None:
    assert door.ask("PUT", f"{FLAT}/api-keys", [HIDDEN, "sk-a-new-one"]) == (200, {"status": "ok"})
    text = door.file.read_text()
    assert CLIENTS[0] in text
    assert "sk-a-new-one" in text
    assert "name: ada" in text
    assert CLIENTS[1] not in text


def test_items_are_a_list_too(door: Door) -> None:
    door.ask("PUT", f"{FLAT}/api-keys", {"items": ["sk-only-this-one"]})
    assert door.ask("GET", f"{FLAT}/api-keys")[1] == {"api-keys": [HIDDEN]}


def test_a_value_is_one_more_key(door: Door) -> None:
    door.ask("PUT", f"{FLAT}/api-keys", {"value": "sk-one-more-key"})
    assert door.ask("GET", f"{FLAT}/api-keys")[1] == {"api-keys": [HIDDEN] * 3}


@pytest.mark.parametrize("which", ["index=1", f"value={CLIENTS[1]}"])
def test_a_key_is_taken_away_by_its_place_or_its_text(door: Door, which: str) -> None:
    assert door.ask("DELETE", f"{FLAT}/api-keys?{which}") == (200, {"status": "ok"})
    text = door.file.read_text()
    assert CLIENTS[1] not in text
    assert CLIENTS[0] in text


@pytest.mark.parametrize(
    ("which", "status"), [("index=9", 404), ("value=sk-nobodys", 404), ("", 400), ("index=x", 400)]
)
def test_a_key_that_is_not_there_is_told(door: Door, which: str, status: int) -> None:
    answered, told = door.ask("DELETE", f"{FLAT}/api-keys?{which}")
    assert (answered, told.keys()) == (status, {"error"})


@pytest.mark.parametrize(
    "body", [{"index": 1, "value": "sk-another-one"}, {"old": CLIENTS[1], "new": "sk-another-one"}]
)
def test_one_key_is_changed(door: Door, body: Any) -> None:
    assert door.ask("PATCH", f"{FLAT}/api-keys", body)[0] == 200
    text = door.file.read_text()
    assert ("sk-another-one" in text, CLIENTS[1] in text, "# Ada's" in text) == (True, False, True)


def test_an_old_key_that_is_not_there_adds_the_new_one(door: Door) -> None:
    door.ask("PATCH", f"{FLAT}/api-keys", {"old": "sk-nobodys", "new": "sk-another-one"})
    assert door.ask("GET", f"{FLAT}/api-keys")[1] == {"api-keys": [HIDDEN] * 3}


def test_use_is_summed_up(door: Door) -> None:
    door.chat()
    _, before = door.ask("GET", f"{FLAT}/usage")
    while not before["usage"]["total_requests"]:
        _, before = door.ask("GET", f"{FLAT}/usage")
    assert before["failed_requests"] == 0
    assert before["usage"]["success_count"] == 1
    assert before["usage"]["total_tokens"] > 0
    assert before["usage"]["by_provider"].keys() == {"ours"}
    assert list(before["usage"]["requests_by_day"].values()) == [1]


def test_use_is_summed_up_in_the_envelope_too(door: Door) -> None:
    status, told = door.ask("GET", f"{ENVELOPED}/usage?days=7")
    assert (status, told.keys(), told["meta"].keys()) == (200, {"data", "meta"}, {"timestamp", "version"})
    assert told["data"].keys() == {"summary", "by_provider", "by_account", "by_model", "timeline", "period"}
    assert told["data"]["timeline"].keys() == {"by_day", "by_hour"}
    assert told["data"]["period"]["retention_days"] > 0


def test_the_log_is_read_and_forgotten(door: Door) -> None:
    door.chat()
    status, told = door.ask("GET", f"{FLAT}/logs?limit=5")
    assert (status, told["line-count"]) == (200, len(told["lines"]))
    assert any("/v1/chat/completions" in line for line in told["lines"])
    assert told["latest-timestamp"] > 1_700_000_000
    status, told = door.ask("DELETE", f"{FLAT}/logs")
    assert (status, told["success"], told["message"]) == (200, True, "Logs cleared successfully")
    assert told["removed"] > 0


def test_debug_is_switched_and_told(door: Door) -> None:
    assert door.ask("GET", f"{FLAT}/debug") == (200, {"debug": False})
    assert door.ask("PUT", f"{FLAT}/debug", {"value": True}) == (200, {"status": "ok"})
    assert door.ask("GET", f"{FLAT}/debug") == (200, {"debug": True})
    status, told = door.ask("PUT", f"{ENVELOPED}/debug", {"value": False})
    assert (status, told["data"]) == (200, {"debug": False})


def test_a_setting_is_changed_in_the_file(door: Door) -> None:
    assert door.ask("PUT", f"{FLAT}/request-retry", {"value": 7}) == (200, {"status": "ok"})
    assert door.ask("GET", f"{FLAT}/request-retry") == (200, {"request-retry": 7})
    assert "attempts: 8" in door.file.read_text()


def test_a_setting_that_means_nothing_here_says_what_holds(door: Door) -> None:
    assert door.ask("GET", f"{FLAT}/ws-auth") == (200, {"ws-auth": False})
    assert door.ask("PUT", f"{FLAT}/ws-auth", {"value": False}) == (200, {"status": "ok"})
    status, told = door.ask("PUT", f"{FLAT}/ws-auth", {"value": True})
    assert (status, told) == (501, {"error": "no WebSocket is served here"})


@pytest.mark.parametrize("value", ["yes", True, None])
def test_a_setting_of_another_type_is_refused(door: Door, value: Any) -> None:
    assert door.ask("PUT", f"{FLAT}/request-retry", {"value": value})[0] == 400


def test_a_list_of_providers_takes_the_place_of_all(door: Door) -> None:
    _, told = door.ask("GET", f"{FLAT}/providers")
    other = {"type": "openai", "name": "other", "base-url": "https://llm.example.com/v1", "api-key": "sk-other-0123"}
    assert door.ask("PUT", f"{FLAT}/providers", [*told["providers"], other]) == (200, {"status": "ok"})
    assert [one["name"] for one in door.ask("GET", f"{FLAT}/providers")[1]["providers"]] == ["ours", "other"]
    assert KEY in door.file.read_text()
    assert door.ask("DELETE", f"{FLAT}/providers?index=1") == (200, {"status": "ok"})
    assert [one["name"] for one in door.ask("GET", f"{FLAT}/providers")[1]["providers"]] == ["ours"]


@pytest.mark.parametrize("key", [None, "wrong"])
def test_changes_take_the_management_key(door: Door, key: str | None) -> None:
    status, told = door.ask("PUT", f"{FLAT}/debug", {"value": True}, key=key)
    assert (status, type(told["error"])) == (401, str)
    status, told = door.ask("PUT", f"{ENVELOPED}/debug", {"value": True}, key=key)
    assert (status, told["error"]["code"]) == (401, "UNAUTHORIZED")


def test_an_unknown_path_is_told_in_each_shape(door: Door) -> None:
    assert door.ask("GET", f"{FLAT}/nothing")[1].keys() == {"error"}
    assert door.ask("GET", f"{ENVELOPED}/nothing")[1]["error"]["code"] == "NOT_FOUND"


def test_answers_name_the_version(door: Door) -> None:
    assert door.open("GET", f"{FLAT}/debug")[2]["x-isthmus-version"]
