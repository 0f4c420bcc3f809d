"""`isthmus route explain`: by a gateway that runs, and by the configuration where none does."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.upstream import open_upstream
from isthmus.wire import json
from support.shell import Shell

ALONE = """
listeners: [{port: 9}]
providers:
  openai: {api-key: k-0123456789, models: [gpt-5.2]}
  vllm: {models: [tiny]}
routes: {best: [openai/gpt-5.2, vllm/tiny]}
"""
PLAIN = b'{"model":"openai/says-hello","messages":[{"role":"user","content":"hi"}]}'


class TestAlone:
    def test_the_configuration_says_who_would_be_asked(self, shell: Shell) -> None:
        shell.write(ALONE)
        result = shell.run("route", "explain", "best")
        assert result.exit_code == 0
        assert "no gateway runs at http://127.0.0.1:9" in result.stderr
        lines = result.stdout.splitlines()
        assert lines[0] == "best: best is a route"
        assert [line.split()[:3] for line in lines if line.startswith(("asked first", "next"))] == [
            ["asked", "first", "openai"],
            ["next", "vllm", "key"],
        ]
        assert "POST https://api.openai.com/v1/chat/completions" in result.stdout
        assert "k-0123456789" not in result.stdout

    def test_json_is_what_the_gateway_would_answer(self, shell: Shell) -> None:
        shell.write(ALONE)
        told = json.decode(shell.run("route", "explain", "best", "--json", "--all").stdout.encode())
        assert [one["upstream"]["method"] for one in told["candidates"]] == ["POST", "POST"]

    @pytest.mark.parametrize(
        ("path", "dialect"),
        [
            ("/v1/messages", "anthropic"),
            ("/v1/responses", "openai_responses"),
            ("/v1/completions", "openai_completions"),
            ("/api/generate", "ollama_generate"),
            ("/v1beta/models/best:generateContent", "gemini"),
        ],
    )
    def test_any_call_has_a_small_request_of_its_own(self, shell: Shell, path: str, dialect: str) -> None:
        shell.write(ALONE)
        told = json.decode(shell.run("route", "explain", "best", "--path", path, "--json").stdout.encode())
        assert told["request"]["dialect"] == dialect
        assert told["candidates"][0]["upstream"] is not None

    def test_a_request_of_ones_own_is_read_from_a_file(self, shell: Shell) -> None:
        shell.write(ALONE)
        shell.write('{"model":"best","messages":[{"role":"user","content":"from a file"}]}', "body.json")
        result = shell.run("route", "explain", "--file", "body.json")
        assert "from a file" in result.stdout
        renamed = shell.run("route", "explain", "vllm/tiny", "--file", "body.json")
        assert renamed.stdout.startswith("vllm/tiny: ")

    def test_a_client_is_asked_as_by_its_name(self, shell: Shell) -> None:
        shell.write(ALONE + "client-keys: [{name: alice, key: sk-alice-01234567}, {name: bob, key: sk-bob-01234567}]\n")
        assert "for alice" in shell.run("route", "explain", "best").stdout
        assert "for bob" in shell.run("route", "explain", "best", "--client", "bob").stdout
        unknown = shell.run("route", "explain", "best", "--client", "carol")
        assert (unknown.exit_code, unknown.stderr) == (1, "the configuration has no client called carol\n")

    def test_the_nearest_names_are_told_for_one_that_nobody_has(self, shell: Shell) -> None:
        shell.write(ALONE)
        result = shell.run("route", "explain", "bets")
        assert result.exit_code == 1
        assert "the nearest names are best" in result.stderr

    def test_a_past_exchange_takes_a_gateway_that_runs(self, shell: Shell) -> None:
        shell.write(ALONE)
        result = shell.run("route", "explain", "--id", "ex_1")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no gateway answers at http://127.0.0.1:9" in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [((), 2), (("best", "--url", "ftp://x"), 1), (("best", "--url", "http://127.0.0.1:9"), 1)],
        ids=["no model", "no address", "nobody there"],
    )
    def test_what_cannot_be_asked_fails(self, shell: Shell, arguments: tuple[str, ...], code: int) -> None:
        shell.write(ALONE)
        assert shell.run("route", "explain", *arguments).exit_code == code


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with (
        open_upstream() as upstream,
        open_gateway(between(upstream), tmp_path_factory.mktemp("gateway")) as running,
    ):
        yield running


class TestRunning:
    def config(self, gateway: RunningGateway) -> str:
        return str(Path(gateway.log).parent / "isthmus.yaml")

    def test_the_gateway_that_runs_is_asked(self, shell: Shell, gateway: RunningGateway) -> None:
        result = shell.run("route", "explain", "openai/says-hello", "--config", self.config(gateway))
        assert (result.exit_code, result.stderr) == (0, "")
        assert "for tester" in result.stdout
        assert "asked first  openai" in result.stdout

    def test_what_became_of_an_exchange_is_told_by_its_id(self, shell: Shell, gateway: RunningGateway) -> None:
        headers = {"content-type": "application/json", "x-api-key": CLIENT_KEY}
        asking = urllib.request.Request(f"{gateway.root}/v1/chat/completions", PLAIN, headers)
        with urllib.request.urlopen(asking, timeout=5) as answer:
            name = answer.headers["x-isthmus-id"]
            assert answer.headers["x-isthmus-route"] == "openai/says-hello"
            assert answer.headers["x-isthmus-attempts"] == "1"
        result = shell.run("route", "explain", "--id", name, "--url", gateway.root)
        assert result.exit_code == 0
        assert "answered with 200" in result.stdout
        assert "asked  openai    key  says-hello" in result.stdout
        assert "tokens in" in result.stdout

    def test_a_refusal_of_the_gateway_is_told(self, shell: Shell, gateway: RunningGateway) -> None:
        result = shell.run("route", "explain", "--id", "ex_nothing", "--url", gateway.root)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no exchange of this id is remembered" in result.stderr
