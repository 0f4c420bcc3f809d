"""A gateway that is started with the file of another system answers as that file says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.clients import Door
from fakes.gateway import RunningGateway, free_port, open_gateway, open_gateway_on
from fakes.raw import Heard, send
from fakes.scripts import HELLO, KEY
from fakes.upstream import Upstream


def ask(gateway: RunningGateway, model: str, key: str = "") -> Heard:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello?"}]}
    return send(Door(gateway.root, key, "", "openai"), "POST", "/v1/chat/completions", json.dumps(body).encode())


def words(heard: Heard) -> str:
    assert heard.status == 200, heard.body
    said: str = json.loads(heard.body)["choices"][0]["message"]["content"]
    return said


def error(heard: Heard) -> Any:
    return json.loads(heard.body)["error"]


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_the_file_of_llm_mux(upstream: Upstream, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "config.yaml",
        f"""
port: 8317
disable-auth: true
request-retry: 2
quota-window: 60
providers:
  - type: openai
    name: ours
    base-url: {upstream.root}/v1
    api-keys: [{{key: {KEY}}}]
    models: [{{name: says-hello, alias: hello}}]
routing:
  aliases: {{gpt-4: hello}}
""",
    )
    with open_gateway_on(file) as gateway:
        assert words(ask(gateway, "hello")) == HELLO
        assert words(ask(gateway, "gpt-4")) == HELLO
        assert "this is a file of llm-mux" in gateway.said_soon("quota-window: no equal")


def test_the_file_of_truckllm(upstream: Upstream, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "config.yaml",
        f"""
version: "1.0"
server: {{listen: "127.0.0.1:8080", admin_api_key: truck-admin-key}}
providers:
  - id: ours
    name: Ours
    base_url: {upstream.root}/v1
    keys: [{{id: main, secret: "${{TRUCK_KEY}}", limit_req_per_min: 100}}]
model_aliases: {{chat: "ours:says-hello"}}
policy: {{strategy: round_robin}}
""",
    )
    with open_gateway_on(file, variables={"TRUCK_KEY": KEY}) as gateway:
        assert words(ask(gateway, "chat", KEY)) == HELLO
        refused = ask(gateway, "chat", "another-key")
        assert (refused.status, error(refused)["code"]) == (401, 401)


@pytest.mark.parametrize("catalogue", [False, True])
def test_the_file_of_llms(upstream: Upstream, tmp_path: Path, catalogue: bool) -> None:
    """The address stands in llms.json or in the file beside it."""
    place = {"api": f"{upstream.root}/v1", "npm": "@ai-sdk/openai-compatible", "env": ["OURS_KEY"]}
    entry = {"enabled": True, "map_models": {"kimi-k2": "says-hello"}, **({} if catalogue else place)}
    file = written(tmp_path, "llms.json", json.dumps({"version": 3, "defaults": {}, "providers": {"ours": entry}}))
    if catalogue:
        written(tmp_path, "providers.json", json.dumps({"ours": {"id": "ours", **place}}))
    with open_gateway_on(file, variables={"OURS_KEY": KEY}) as gateway:
        assert words(ask(gateway, "kimi-k2")) == HELLO
        assert error(ask(gateway, "zork"))["code"] == "model_not_found"
        health = send(Door(gateway.root, "", "", "openai"), "GET", "/health", b"")
        assert json.loads(health.body)["status"] == "healthy"


def test_the_file_of_codex_claude_proxy(tmp_path: Path) -> None:
    """Its lane leads to a host outside, so that it is only asked where a request would go."""
    file = written(tmp_path, "settings.json", '{"haikuKiloModel": "minimax-2.5", "accountStrategy": "sticky"}')
    with open_gateway_on(file) as gateway:
        body = b'{"model":"claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
        heard = send(Door(gateway.root, "", "", "anthropic"), "POST", "/v0/explain/v1/messages", body)
        assert heard.status == 200, heard.body
        assert b"kilo" in heard.body
        assert b"minimax/minimax-m2.5:free" in heard.body


def test_the_file_of_litellm(upstream: Upstream, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "config.yaml",
        f"""
model_list:
  - model_name: chat
    litellm_params: {{model: openai/not-there, api_base: "{upstream.root}/v1", api_key: os.environ/OURS_KEY, order: 1}}
  - model_name: chat
    litellm_params: {{model: openai/says-hello, api_base: "{upstream.root}/v1", api_key: os.environ/OURS_KEY, order: 2}}
  - model_name: claude
    litellm_params: {{model: anthropic/says-hello, api_base: "{upstream.root}", api_key: os.environ/OURS_KEY}}
router_settings:
  num_retries: 3
  model_group_alias: {{gpt-4: claude}}
general_settings:
  master_key: sk-master-0123456789
""",
    )
    with open_gateway_on(file, "--host", "127.0.0.1", variables={"OURS_KEY": KEY}) as gateway:
        assert words(ask(gateway, "chat", "sk-master-0123456789")) == HELLO
        assert words(ask(gateway, "gpt-4", "sk-master-0123456789")) == HELLO
        assert ask(gateway, "chat").status == 401
        assert [seen.path for seen in upstream.requests if seen.model == "says-hello"][-1] == "/v1/messages"


def test_the_command_line_says_whose_manners_a_listener_has(upstream: Upstream, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "isthmus.yaml",
        f"providers: {{ours: {{type: compatible, base-url: '{upstream.root}/v1', api-key: {KEY}}}}}",
    )
    with open_gateway_on(file, "--compat", "truck") as gateway:
        assert error(ask(gateway, "zork"))["code"] == 401


def test_listeners_of_two_systems_beside_one_another(upstream: Upstream, tmp_path: Path) -> None:
    port = free_port()
    config = f"""  - {{host: 127.0.0.1, port: {port}, compat: truck}}
providers:
  ours: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
auth: "off"
"""
    with open_gateway(config, tmp_path) as gateway:
        beside = replace(gateway, root=f"http://127.0.0.1:{port}")
        assert error(ask(gateway, "zork"))["code"] == "model_not_found"
        assert error(ask(beside, "zork"))["code"] == 404
        assert words(ask(gateway, "says-hello")) == words(ask(beside, "says-hello")) == HELLO
