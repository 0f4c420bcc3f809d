"""`isthmus rests`: what the gateway that runs says of who rests, and how a rest is ended."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.upstream import open_upstream
from isthmus.wire import json
from support.shell import Shell


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with open_upstream() as upstream, open_gateway(between(upstream), folder) as running:
        yield running


@pytest.fixture
def limited(gateway: RunningGateway, shell: Shell) -> RunningGateway:
    """A gateway one of whose providers has just asked for patience."""
    shell.write("listeners: [{port: 9}]\n")
    body = json.encode({"model": "openai/fails-429", "messages": [{"role": "user", "content": "hi"}]})
    headers = {"authorization": f"Bearer {CLIENT_KEY}", "content-type": "application/json"}
    asking = urllib.request.Request(f"{gateway.root}/v1/chat/completions", body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asking, timeout=10)
    refused.value.close()
    return gateway


def test_who_rests_is_listed_with_the_reason(limited: RunningGateway, shell: Shell) -> None:
    result = shell.run("rests", "--url", limited.root)
    assert result.exit_code == 0
    heads, line = result.stdout.splitlines()
    assert heads.split()[:3] == ["PLACE", "REASON", "SINCE"]
    assert line.split()[:2] == ["openai/key/fails-429", "upstream_limited"]
    assert "by the provider" in line


def test_json_holds_all_that_is_known(limited: RunningGateway, shell: Shell) -> None:
    [rest] = json.decode(shell.run("rests", "--json", "--url", limited.root).stdout.encode())["rests"]
    assert (rest["provider"], rest["key"], rest["model"]) == ("openai", "key", "fails-429")
    assert rest["told_by_provider"] is True
    assert 0 < rest["seconds"] <= 7
    assert rest["since"] <= rest["until"]


@pytest.mark.parametrize("place", ["openai", "openai/key", "openai/key/fails-429"])
def test_a_rest_is_ended_by_any_name_of_its_place(limited: RunningGateway, shell: Shell, place: str) -> None:
    assert shell.run("rests", "clear", place, "--url", limited.root).stdout == "1 rest ended\n"
    assert shell.run("rests", "--url", limited.root).stdout == "nobody rests\n"


def test_all_rests_are_ended_at_once(limited: RunningGateway, shell: Shell) -> None:
    assert shell.run("rests", "--url", limited.root, "clear").stdout == "1 rest ended\n"


def test_the_rests_of_somebody_unknown_are_not_ended(limited: RunningGateway, shell: Shell) -> None:
    result = shell.run("rests", "clear", "nobody/key", "--url", limited.root)
    assert result.exit_code == 1
    assert "a rest is named PROVIDER, PROVIDER/KEY or PROVIDER/KEY/MODEL" in result.stderr


def test_no_gateway_is_told(shell: Shell) -> None:
    shell.write("listeners: [{port: 9}]\n")
    result = shell.run("rests")
    assert result.exit_code == 1
    assert "no gateway answers at http://127.0.0.1:9" in result.stderr


def test_a_restart_keeps_what_the_provider_said(tmp_path: Path, shell: Shell) -> None:
    shell.write("listeners: [{port: 9}]\n")
    with open_upstream() as upstream:
        configuration = between(upstream)
        for attempt in range(2):
            with open_gateway(configuration, tmp_path) as running:
                if attempt == 0:
                    body = json.encode({"model": "openai/fails-429", "messages": [{"role": "user", "content": "hi"}]})
                    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
                    asking = urllib.request.Request(f"{running.root}/v1/chat/completions", body, headers)
                    with pytest.raises(urllib.error.HTTPError) as refused:
                        urllib.request.urlopen(asking, timeout=10)
                    refused.value.close()
                else:
                    [rest] = json.decode(shell.run("rests", "--json", "--url", running.root).stdout.encode())["rests"]
                    assert (rest["model"], rest["cause"]) == ("fails-429", "known from before the restart")


@pytest.mark.parametrize(
    "keys",
    ["management-key: manage-me-0123456789", "admin: {keys: [{name: olga, key: olga-0123456789, role: operator}]}"],
)
def test_the_key_in_the_configuration_is_sent(tmp_path: Path, shell: Shell, keys: str) -> None:
    admins = (
        "management-key: manage-me-0123456789\nadmin: {keys: [{name: olga, key: olga-0123456789, role: operator}]}\n"
    )
    with open_upstream() as upstream, open_gateway(between(upstream, more=admins), tmp_path) as running:
        shell.write("listeners: [{port: 9}]\n")
        refused = shell.run("rests", "clear", "--url", running.root)
        assert refused.exit_code == 1
        assert "send the management key" in refused.stderr
        assert shell.run("rests", "--url", running.root).stdout == "nobody rests\n"
        shell.write(f"listeners: [{{port: 9}}]\n{keys}\n")
        assert shell.run("rests", "clear", "--url", running.root).stdout == "0 rests ended\n"
