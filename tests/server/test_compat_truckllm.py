"""TruckLLM's admin API, in its own shapes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.gateway import RunningGateway, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from support.asking import ask_json

SECRET = "truck-admin-0123456789"


def config(upstream: Upstream) -> str:
    return f"""\
# Ours.
management-key: {SECRET}
providers:
  ours:
    type: compatible
    base-url: {upstream.root}/v1
    models: [says-hello, fails-401]
    api-keys:
      - {{name: key1, key: {KEY}, requests-per-minute: 60, tokens-per-minute: 9000, price: {{input: 1.5, output: 2}}}}
aliases: {{gpt-4: ours/says-hello}}
"""


class Door:
    def __init__(self, gateway: RunningGateway, file: Path) -> None:
        self.root = gateway.root
        self.gateway = gateway
        self.file = file

    def ask(self, method: str, path: str, body: Any = None, secret: str | None = SECRET) -> tuple[int, Any]:
        headers = {} if secret is None else {"authorization": f"Bearer {secret}"}
        return ask_json(self.root + path, method, body, headers)

    def chat(self, model: str = "gpt-4") -> int:
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
        return self.ask("POST", "/v1/chat/completions", body)[0]


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path) -> Iterator[Door]:
    with open_gateway(config(upstream), tmp_path) as gateway:
        yield Door(gateway, tmp_path / "isthmus.yaml")


def test_the_configuration_is_told_as_its_object_without_secrets(door: Door, upstream: Upstream) -> None:
    status, told = door.ask("GET", "/admin/v1/config")
    assert (status, told["version"]) == (200, "1.0")
    assert told["server"] == {"listen": door.root.removeprefix("http://"), "admin_api_key": "********"}
    assert told["model_aliases"] == {"gpt-4": "ours:says-hello"}
    assert told["providers"] == [
        {
            "id": "ours",
            "name": "ours",
            "base_url": f"{upstream.root}/v1",
            "keys": [
                {
                    "id": "key1",
                    "secret": "********",
                    "limit_req_per_min": 60,
                    "limit_tokens_per_min": 9000,
                    "pricing": {"input_token_cost": 0.0015, "output_token_cost": 0.002, "currency": "USD"},
                }
            ],
        }
    ]


def test_the_object_that_was_told_can_be_changed_and_sent_back(door: Door) -> None:
    _, told = door.ask("GET", "/admin/v1/config")
    told["model_aliases"]["fast"] = "ours:says-hello"
    told.pop("gateway")
    status, answer = door.ask("POST", "/admin/v1/config", told)
    assert (status, answer["status"]) == (200, "success"), answer
    assert KEY in door.file.read_text()
    assert door.ask("GET", "/admin/v1/config")[1]["model_aliases"]["fast"] == "ours:says-hello"


def test_a_good_object_is_valid_and_changes_nothing(door: Door) -> None:
    before = door.file.read_text()
    _, told = door.ask("GET", "/admin/v1/config")
    assert door.ask("POST", "/admin/v1/config/validate", told) == (200, {"valid": True})
    assert door.file.read_text() == before


@pytest.mark.parametrize("wrong", [{"server": 3}, {"providers": [{"id": "x", "base_url": "ftp://example.com"}]}])
def test_what_is_wrong_with_an_object_is_told(door: Door, wrong: Any) -> None:
    status, told = door.ask("POST", "/admin/v1/config/validate", wrong)
    assert (status, told["valid"]) == (200, False)
    assert told["errors"]


def test_a_bad_object_is_refused_and_nothing_is_changed(door: Door) -> None:
    before = door.file.read_text()
    status, told = door.ask("POST", "/admin/v1/config", {"server": 3})
    assert (status, told["error"]["code"], told["error"]["type"]) == (400, 400, "invalid_request_error")
    assert door.file.read_text() == before


def test_the_file_is_read_again(door: Door) -> None:
    door.file.write_text(door.file.read_text().replace("gpt-4:", "gpt-5:"))
    assert door.ask("POST", "/admin/v1/reload")[1]["status"] == "success"
    assert door.ask("GET", "/admin/v1/config")[1]["model_aliases"] == {"gpt-5": "ours:says-hello"}


def test_a_bad_file_is_told(door: Door) -> None:
    door.file.write_text("providers: [")
    status, told = door.ask("POST", "/admin/v1/reload")
    assert (status, told["error"]["code"]) == (400, 400)


def test_providers_are_told_with_what_their_keys_used(door: Door) -> None:
    assert door.chat() == 200
    door.gateway.said_soon('"event":"exchange"')
    status, told = door.ask("GET", "/admin/v1/providers")
    [provider] = told["providers"]
    [key] = provider["keys"]
    assert (status, provider["id"], provider["status"]) == (200, "ours", "healthy")
    assert (key["id"], key["usage_req"], key["errors"]) == ("key1", 1, 0)
    assert key["usage_tokens"] > 0


def test_a_provider_whose_only_key_rests_is_unhealthy(door: Door) -> None:
    door.chat("ours/fails-401")
    _, told = door.ask("GET", "/admin/v1/providers")
    assert told["providers"][0]["status"] == "unhealthy"


def test_requests_are_told_from_the_log(door: Door) -> None:
    door.chat()
    door.gateway.said_soon('"event":"exchange"')
    status, told = door.ask("GET", "/admin/v1/logs?limit=5&provider=ours&level=info")
    [entry] = told["logs"]
    assert status == 200
    assert (entry["level"], entry["provider"], entry["model"], entry["status"]) == ("info", "ours", "gpt-4", 200)
    assert entry["timestamp"].endswith("Z")
    assert entry["latency_ms"] > 0
    assert entry["tokens"] > 0
    assert door.ask("GET", "/admin/v1/logs?level=error")[1] == {"logs": []}


@pytest.mark.parametrize("secret", [None, "wrong"])
def test_changes_take_the_admin_key(door: Door, secret: str | None) -> None:
    status, told = door.ask("POST", "/admin/v1/reload", secret=secret)
    assert (status, told["error"]["code"], told["error"]["type"]) == (401, 401, "authentication_error")


def test_an_unknown_path_is_told_in_its_shape(door: Door) -> None:
    status, told = door.ask("GET", "/admin/v1/nothing")
    assert (status, told["error"]["code"]) == (404, 404)
