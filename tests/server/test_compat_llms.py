"""llms.py's management routes, in its own shapes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.gateway import RunningGateway, between, open_gateway
from fakes.upstream import Upstream
from support.asking import ask_json


@pytest.fixture
def door(upstream: Upstream, tmp_path: Path) -> Iterator[RunningGateway]:
    more = "models: {says-hello: {context-limit: 1000, can: [tools, vision], price: {input: 1, output: 2.5}}}\n"
    with open_gateway(between(upstream, more=more), tmp_path) as gateway:
        yield gateway


def ask(gateway: RunningGateway, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask_json(gateway.root + path, method, body)


def test_models_are_told_with_what_is_known_of_them(door: RunningGateway) -> None:
    status, told = ask(door, "GET", "/models")
    [one] = [model for model in told if model["id"] == "says-hello"]
    assert status == 200
    assert (one["provider"], one["tool_call"], one["attachment"]) == ("openai", True, True)
    assert one["modalities"] == {"input": ["text", "image"], "output": ["text"]}
    assert (one["limit"], one["cost"]) == ({"context": 1000}, {"input": 1.0, "output": 2.5})


def test_models_are_told_once_each(door: RunningGateway) -> None:
    names = [model["id"] for model in ask(door, "GET", "/models")[1]]
    assert len(names) == len(set(names))


def test_providers_are_told_with_their_models(door: RunningGateway) -> None:
    status, told = ask(door, "GET", "/providers")
    assert status == 200
    assert [one["id"] for one in told] == ["openai", "anthropic", "deepseek"]
    assert "says-hello" in told[0]["models"]


def test_a_provider_is_switched_off_and_on_again(door: RunningGateway) -> None:
    every = ["openai", "anthropic", "deepseek"]
    assert ask(door, "GET", "/status") == (200, {"all": every, "enabled": every, "disabled": []})
    status, told = ask(door, "POST", "/providers/deepseek", {"disable": True})
    assert (status, told["enabled"], told["disabled"]) == (200, ["openai", "anthropic"], ["deepseek"])
    assert "deepseek" not in [one["id"] for one in ask(door, "GET", "/providers")[1]]
    _, told = ask(door, "POST", "/providers/deepseek", {"enable": True})
    assert (told["enabled"], told["disabled"]) == (every, [])


def test_an_unknown_provider_is_told(door: RunningGateway) -> None:
    status, told = ask(door, "POST", "/providers/nobody", {"enable": True})
    assert status == 404
    assert "GET /status lists them" in told["error"]["message"]


@pytest.mark.parametrize("body", [{}, {"enable": True, "disable": True}])
def test_it_must_be_said_which_way(door: RunningGateway, body: Any) -> None:
    assert ask(door, "POST", "/providers/openai", body)[0] == 400
