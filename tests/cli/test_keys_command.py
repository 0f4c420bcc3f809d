"""`isthmus keys`: keys of a gateway that runs, made and changed as an administrator on its machine does."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.gateway import RunningGateway, between, open_gateway
from fakes.upstream import open_upstream
from isthmus.wire import json
from support.shell import Shell


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with open_upstream() as upstream, open_gateway(between(upstream), folder) as running:
        yield running


class Keys:
    """The command, and a client."""

    def __init__(self, gateway: RunningGateway, shell: Shell) -> None:
        self.gateway = gateway
        self._shell = shell
        shell.write("listeners: [{port: 9}]\n")

    def run(self, *words: str, code: int = 0) -> str:
        result = self._shell.run("keys", *words, "--url", self.gateway.root)
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    def told(self, *words: str) -> Any:
        return json.decode(self.run(*words).encode())

    def models(self, text: str) -> int:
        """The status of a question for models with this key."""
        asking = urllib.request.Request(f"{self.gateway.root}/v1/models", headers={"authorization": f"Bearer {text}"})
        try:
            with urllib.request.urlopen(asking, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            refused.close()
            return refused.code


@pytest.fixture
def keys(gateway: RunningGateway, shell: Shell) -> Keys:
    return Keys(gateway, shell)


def test_a_key_lives_its_life(keys: Keys) -> None:
    first = keys.run("create", "alice", "--team", "red", "--owner", "Alice").strip()
    assert first.startswith("isk_")
    assert keys.models(first) == 200
    assert keys.run("disable", "alice") == "alice is disabled\n"
    assert keys.models(first) == 401
    keys.run("enable", "alice")
    second = keys.run("rotate", "alice", "--overlap", "15m").strip()
    assert (keys.models(first), keys.models(second)) == (200, 200)
    third = keys.told("rotate", "alice", "--json")["key"]
    assert (keys.models(second), keys.models(third)) == (401, 200)
    assert keys.run("delete", "alice") == "alice is deleted\n"
    assert keys.models(third) == 401


def test_keys_are_listed_as_a_table_and_as_json(keys: Keys) -> None:
    keys.run("create", "lister", "--team", "blue", "--tag", "prod")
    heads, line = keys.run("list", "--team", "blue").splitlines()
    assert heads.split() == ["NAME", "STATE", "HINT", "TEAM", "OWNER", "EXPIRES", "SOURCE", "ID"]
    assert line.split()[:2] == ["lister", "active"]
    [one] = keys.told("list", "--tag", "prod", "--json")["keys"]
    assert (one["name"], one["team"], one["source"]) == ("lister", "blue", "store")


def test_every_option_of_create_is_kept(keys: Keys) -> None:
    given = keys.told(
        *("create", "full", "--json", "--owner", "Ann", "--team", "red", "--tag", "a", "--tag", "b"),
        *("--metadata", "cost=42", "--expires", "2099-01-31", "--model", "gpt-*", "--provider", "openai"),
        *("--upstream-key", "openai/key", "--operation", "chat", "--requests-per-minute", "5", "--concurrency", "2"),
        *("--tokens-per-minute", "6", "--requests-per-day", "7", "--tokens-per-day", "8"),
        *("--budget", "day=1.5", "--on-loss", "refuse", "--believed", "--no-cache"),
    )
    details = keys.told("show", "full")
    assert details == given["details"]
    assert (details["owner"], details["tags"], details["metadata"]) == ("Ann", ["a", "b"], {"cost": "42"})
    assert details["expires_at"] == "2099-01-31T00:00:00Z"
    assert details["permits"] == {
        "models": ["gpt-*"],
        "providers": ["openai"],
        "keys": ["openai/key"],
        "operations": ["chat"],
    }
    limits = details["limits"]
    assert float(limits.pop("budgets")["day"]) == 1.5
    assert limits == {
        "requests_per_minute": 5,
        "tokens_per_minute": 6,
        "requests_per_day": 7,
        "tokens_per_day": 8,
        "concurrency": 2,
    }
    assert (details["on_loss"], details["believed"], details["cache"]) == ("refuse", True, False)


def test_what_the_gateway_refuses_is_told_in_its_words(keys: Keys) -> None:
    assert "name" in keys.run("create", "two words", code=1)
    assert "no client key of this id or name" in keys.run("show", "nobody", code=1)
    assert "configuration file" in keys.run("delete", "tester", code=1)


@pytest.mark.parametrize("words", [("rotate", "a", "--overlap", "soon"), ("create", "a", "--metadata", "nothing")])
def test_what_cannot_be_read_is_told_before_anybody_is_asked(keys: Keys, words: tuple[str, ...]) -> None:
    assert "Error" in keys.run(*words, code=2)


def test_no_key_is_written_to_the_log(keys: Keys) -> None:
    text = keys.run("create", "silent").strip()
    keys.models(text)
    assert text not in keys.gateway.said()


def test_without_a_gateway_nothing_is_changed(shell: Shell) -> None:
    shell.write("listeners: [{port: 9}]\n")
    result = shell.run("keys", "list")
    assert (result.exit_code, "no gateway answers at http://127.0.0.1:9" in result.stderr) == (1, True)
