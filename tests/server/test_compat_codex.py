"""codex-claude-proxy's routes: its settings, Claude Code's configuration and its log, in its own shapes."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, free_port, open_gateway, open_gateway_on
from fakes.upstream import Upstream
from isthmus.engine.haiku_lane import MODELS
from support.asking import ask_json


class Door:
    """A gateway of one test, its file, and the home of whoever runs it."""

    def __init__(self, gateway: RunningGateway, folder: Path) -> None:
        self.gateway = gateway
        self.file = folder / "isthmus.yaml"
        self.settings = folder / ".claude" / "settings.json"

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        return ask_json(self.gateway.root + path, method, body, headers or {})


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setenv("CLAUDE_CONFIG_PATH", str(tmp_path / ".claude"))
    lane = f"  openrouter: {{type: compatible, base-url: '{upstream.root}/v1', models: ['*']}}\n"
    with open_gateway(between(upstream, providers=lane), tmp_path) as gateway:
        yield Door(gateway, tmp_path)


def test_the_lane_for_haiku_is_set_told_and_kept_in_the_file(door: Door) -> None:
    assert door.ask("GET", "/settings/haiku-model") == (200, {"success": True, "haikuKiloModel": None})
    set_to = {"success": True, "haikuKiloModel": "minimax-2.5"}
    assert door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "minimax-2.5"}) == (200, set_to)
    assert door.ask("GET", "/settings/haiku-model") == (200, set_to)
    assert "claude-haiku-*: openrouter/minimax/minimax-m2.5:free" in door.file.read_text()


def test_small_claude_models_go_down_the_lane_once_it_is_set(door: Door) -> None:
    door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "kimi-k2.5"})
    asked = {"model": "claude-haiku-4", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    _, told = door.ask("POST", "/v0/explain/v1/messages", asked, headers)
    assert told["candidates"][0]["model"] == "moonshotai/kimi-k2.5:free"


def test_a_model_of_another_provider_may_be_behind_the_lane(door: Door) -> None:
    door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "openai/says-hello"})
    assert door.ask("GET", "/settings/haiku-model")[1]["haikuKiloModel"] == "openai/says-hello"


@pytest.mark.parametrize("body", [{}, {"haikuKiloModel": 3}, {"haikuKiloModel": " "}, {"haikuKiloModel": "x" * 300}])
def test_what_is_no_model_is_refused_in_its_shape(door: Door, body: Any) -> None:
    status, told = door.ask("POST", "/settings/haiku-model", body)
    assert (status, told["success"]) == (400, False)
    assert isinstance(told["error"], str)


def test_a_model_that_the_lanes_provider_does_not_list_is_refused_in_its_shape(door: Door) -> None:
    assert door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "says-hello"})[0] == 200
    status, told = door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "nobody/has-it"})
    assert (status, told["success"]) == (400, False)
    assert "none of the models that openrouter lists" in told["error"]
    assert door.ask("GET", "/settings/haiku-model")[1]["haikuKiloModel"] == "says-hello"


def test_where_no_list_can_be_had_any_name_may_be_a_models(upstream: Upstream, tmp_path: Path) -> None:
    lane = f"  openrouter: {{type: compatible, base-url: 'http://127.0.0.1:{free_port()}/v1', models: ['*']}}\n"
    with open_gateway(between(upstream, providers=lane), tmp_path) as gateway:
        door = Door(gateway, tmp_path)
        assert door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "any/thing:free"})[0] == 200
        assert {model["id"] for model in door.ask("GET", "/settings/kilo-models")[1]["models"]} == set(MODELS)


def test_short_names_of_the_lane_are_listed(door: Door) -> None:
    status, told = door.ask("GET", "/settings/kilo-models")
    assert (status, told["success"], told["current"]) == (200, True, None)
    assert {"minimax-2.5", "kimi-k2.5"} <= {model["id"] for model in told["models"]}


def test_the_strategy_of_accounts_is_set_and_told(door: Door) -> None:
    for said in ("round-robin", "sticky"):
        told = {"success": True, "accountStrategy": said}
        assert door.ask("POST", "/settings/account-strategy", {"accountStrategy": said}) == (200, told)
        assert door.ask("GET", "/settings/account-strategy") == (200, told)
    assert "routing:\n  pool: sticky" in door.file.read_text()


def test_the_lane_leaves_those_in_place_that_were_found_where_the_file_names_nobody(tmp_path: Path) -> None:
    file = tmp_path / "isthmus.yaml"
    file.write_text("local: {enabled: off}\n")
    with open_gateway_on(file, variables={"OPENAI_API_KEY": "sk-found"}) as gateway:
        door = Door(gateway, tmp_path)
        assert door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "kimi-k2.5"})[0] == 200
        listed = {one["name"] for one in door.ask("GET", "/admin/providers")[1]["providers"]}
        assert listed == {"openai", "codex", "kilo"}
        assert "sk-found" not in file.read_text()
        door.ask("POST", "/settings/haiku-model", {"haikuKiloModel": "minimax-2.5"})
        assert door.ask("GET", "/settings/haiku-model")[1]["haikuKiloModel"] == "minimax-2.5"


def test_where_the_file_names_the_provider_its_own_pool_is_changed(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(between(upstream, providers="  codex: {pool: fill-first}\n"), tmp_path) as gateway:
        door = Door(gateway, tmp_path)
        assert door.ask("GET", "/settings/account-strategy")[1]["accountStrategy"] == "fill-first"
        door.ask("POST", "/settings/account-strategy", {"accountStrategy": "round-robin"})
        assert door.ask("GET", "/settings/account-strategy")[1]["accountStrategy"] == "round-robin"
        assert "codex: {pool: round-robin}" in door.file.read_text()


def test_a_file_that_names_no_provider_names_none_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "isthmus.yaml"
    file.write_text("local: {enabled: off}\n")
    with open_gateway_on(file, variables={"OPENAI_API_KEY": "sk-found"}) as gateway:
        door = Door(gateway, tmp_path)
        status, _ = door.ask("POST", "/settings/account-strategy", {"accountStrategy": "round-robin"})
        assert status == 200
        assert "providers" not in file.read_text()
        assert door.ask("GET", "/settings/account-strategy")[1]["accountStrategy"] == "round-robin"


def test_an_unknown_strategy_is_refused(door: Door) -> None:
    status, told = door.ask("POST", "/settings/account-strategy", {"accountStrategy": "random"})
    assert (status, told["error"]) == (400, "accountStrategy is one of sticky, round-robin")


def test_claude_code_is_pointed_here_and_all_else_of_its_settings_stays(door: Door) -> None:
    door.settings.parent.mkdir()
    door.settings.write_text('{"theme": "dark", "env": {"EDITOR": "vi", "ANTHROPIC_AUTH_TOKEN": "old"}}')
    status, told = door.ask("POST", "/claude/config/proxy")
    assert (status, told["success"]) == (200, True)
    assert told["message"] == f"Claude CLI configured to use proxy at {door.gateway.root}"
    written = json.loads(door.settings.read_text())
    assert written["theme"] == "dark"
    assert written["env"]["EDITOR"] == "vi"
    assert written["env"]["ANTHROPIC_BASE_URL"] == door.gateway.root
    assert "ANTHROPIC_AUTH_TOKEN" not in written["env"]
    assert door.settings.stat().st_mode & 0o777 == 0o600


def test_what_stood_in_the_settings_before_the_first_change_is_kept_beside_them(door: Door) -> None:
    door.settings.parent.mkdir()
    door.settings.write_text('{"theme": "dark"}')
    door.ask("POST", "/claude/config/proxy")
    door.ask("POST", "/claude/config/direct", {"apiKey": "sk-planted"})
    assert door.settings.with_name("settings.json.before-isthmus").read_text() == '{"theme": "dark"}'


def test_claude_code_is_pointed_at_anthropic_with_a_key_that_is_not_told_back(door: Door) -> None:
    door.ask("POST", "/claude/config/proxy")
    status, told = door.ask("POST", "/claude/config/direct", {"apiKey": "sk-planted-0123"})
    assert (status, told["success"]) == (200, True)
    assert json.loads(door.settings.read_text())["env"] == {"ANTHROPIC_API_KEY": "sk-planted-0123"}
    assert "planted" not in json.dumps(told) + json.dumps(door.ask("GET", "/claude/config"))


def test_its_configuration_is_shown_with_its_path(door: Door) -> None:
    assert door.ask("GET", "/claude/config") == (
        200,
        {"success": True, "configPath": str(door.settings), "config": {}},
    )


def test_without_a_key_it_is_not_pointed_at_anthropic(door: Door) -> None:
    status, told = door.ask("POST", "/claude/config/direct", {})
    assert (status, told["success"], told["error"]) == (400, False, "API key required")


@pytest.mark.parametrize("url", ["ftp://example.com", "file:///etc/passwd", "example.com"])
def test_it_is_pointed_at_web_addresses_only(door: Door, url: str) -> None:
    status, told = door.ask("POST", "/claude/config/set", {"apiUrl": url, "apiKey": "k"})
    assert (status, told["error"]) == (400, "API URL must be http or https")


def test_settings_that_are_no_json_are_refused_and_left_as_they_are(door: Door) -> None:
    door.settings.parent.mkdir()
    door.settings.write_text("{ not json")
    status, told = door.ask("POST", "/claude/config/proxy")
    assert (status, told["success"]) == (400, False)
    assert door.settings.read_text() == "{ not json"


def test_the_log_is_told_in_its_shape(door: Door) -> None:
    door.ask("POST", "/settings/account-strategy", {"accountStrategy": "sticky"})
    status, told = door.ask("GET", "/api/logs")
    assert (status, told["status"]) == (200, "ok")
    assert {"timestamp", "level", "message", "icon"} == told["logs"][0].keys()


def test_the_log_is_followed_with_what_was_written_before(door: Door) -> None:
    door.ask("POST", "/settings/account-strategy", {"accountStrategy": "sticky"})
    asking = urllib.request.Request(f"{door.gateway.root}/api/logs/stream?history=true")
    with urllib.request.urlopen(asking, timeout=20) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert json.loads(answer.readline().removeprefix(b"data: ")).keys() == {"timestamp", "level", "message", "icon"}


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example.com"}, {"host": "evil.example.com"}, {"x-forwarded-for": "192.0.2.1"}],
    ids=["a page of another origin", "a name made to lead here", "behind a proxy"],
)
@pytest.mark.parametrize("path", ["/settings/haiku-model", "/claude/config"])
def test_only_programs_on_this_machine_are_served(door: Door, headers: Mapping[str, str], path: str) -> None:
    status, told = door.ask("GET", path, headers=headers)
    assert status in (401, 403)
    assert told["success"] is False
    assert not os.path.exists(door.settings)
