"""`isthmus tools`: which there are, and where they ask."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.listing_host import Host, open_host
from isthmus.tools.table import TOOLS
from support.shell import Shell

SETTINGS = '{\n  "theme": "dark",\n  "env": {"ANTHROPIC_API_KEY": "sk-ant-planted-0123", "EDITOR": "vi"}\n}\n'


@pytest.fixture
def host() -> Iterator[Host]:
    with open_host() as host:
        host.body = b'{"object":"list","data":[{"id":"gpt-5.2"},{"id":"claude-sonnet-4-6"},{"id":"claude-haiku-4-5"}]}'
        yield host


@pytest.fixture
def root(host: Host) -> str:
    """Where the gateway is: its models are listed below /v1."""
    return host.url.removesuffix("/v1")


@pytest.fixture
def claude(shell: Shell) -> Path:
    path = shell.folder / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text(SETTINGS)
    return path


def rows(shell: Shell) -> dict[str, dict[str, object]]:
    return {row["name"]: row for row in json.loads(shell.run("tools", "--json").stdout)["tools"]}


def test_every_tool_is_listed_and_whether_it_is_here(shell: Shell, claude: Path) -> None:
    program = shell.folder / "bin" / "codex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    said = shell.run("tools", variables={"PATH": str(program.parent)}).stdout.splitlines()
    assert said[0].split() == ["NAME", "TOOL", "FOUND", "CONNECTED", "FILES"]
    assert [line.split()[0] for line in said[1:]] == list(TOOLS)
    assert said[1].split() == ["claude", "Claude", "Code", "~/.claude", "-", "~/.claude/settings.json"]
    assert said[2].split() == ["codex", "Codex", "CLI", "~/bin/codex", "-", "~/.codex/config.toml"]
    assert shell.run("tools", "list", variables={"PATH": str(program.parent)}).stdout.splitlines() == said


def test_a_tool_is_connected_with_models_of_the_gateway(shell: Shell, claude: Path, root: str) -> None:
    done = shell.run("tools", "connect", "claude", "--url", root, "--key", "isk_planted")
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [f"Claude Code asks {root} from now on, for claude-sonnet-4-6", "  ~/.claude/settings.json"],
    )
    env = json.loads(claude.read_text())["env"]
    assert (env["ANTHROPIC_BASE_URL"], env["ANTHROPIC_AUTH_TOKEN"]) == (root, "isk_planted")
    assert (env["ANTHROPIC_MODEL"], env["ANTHROPIC_DEFAULT_HAIKU_MODEL"]) == ("claude-sonnet-4-6", "claude-haiku-4-5")
    assert rows(shell)["claude"]["connected"] == root
    again = shell.run("tools", "connect", "claude", "--url", root, "--key", "isk_planted")
    assert again.stdout == f"Claude Code asks {root} already, for claude-sonnet-4-6\n"


def test_and_back(shell: Shell, claude: Path, root: str) -> None:
    shell.run("tools", "connect", "claude", "--url", root)
    assert shell.run("tools", "disconnect", "claude").stdout == "Claude Code is as it was before\n"
    assert claude.read_text() == SETTINGS
    assert shell.run("tools", "disconnect", "claude").stdout == "Claude Code was not connected\n"


def test_the_key_may_be_a_variable_and_else_is_the_first_that_is_configured(
    shell: Shell, claude: Path, root: str
) -> None:
    shell.write("client-keys: [sk-first-0123456789, sk-second-0123456789]\n")
    shell.run("tools", "connect", "claude", "--url", root)
    assert json.loads(claude.read_text())["env"]["ANTHROPIC_AUTH_TOKEN"] == "sk-first-0123456789"
    shell.run("tools", "connect", "claude", "--url", root, variables={"ISTHMUS_CLIENT_KEY": "sk-said"})
    assert json.loads(claude.read_text())["env"]["ANTHROPIC_AUTH_TOKEN"] == "sk-said"


def test_a_dry_run_shows_what_would_change_without_any_secret(shell: Shell, claude: Path, root: str) -> None:
    done = shell.run("tools", "connect", "claude", "--url", root, "--key", "isk_planted", "--dry-run")
    assert "--- ~/.claude/settings.json" in done.stdout
    assert f'"ANTHROPIC_BASE_URL": "{root}"' in done.stdout
    assert "planted" not in done.output
    assert done.stderr == "1 file would change\n"
    assert claude.read_text() == SETTINGS
    shell.run("tools", "connect", "claude", "--url", root, "--key", "isk_planted")
    back = shell.run("tools", "disconnect", "claude", "--dry-run")
    assert '+  "env": {"ANTHROPIC_API_KEY": "********", "EDITOR": "vi"}' in back.stdout
    assert "planted" not in back.output
    assert "isk_planted" in claude.read_text()


def test_a_key_that_is_asked_for_is_told(shell: Shell, claude: Path, host: Host, root: str) -> None:
    host.status = 401
    done = shell.run("tools", "connect", "claude", "--url", root)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "asks for a client key; make one with: isthmus keys create claude" in done.stderr
    assert claude.read_text() == SETTINGS


def test_without_a_gateway_a_model_must_be_said(shell: Shell, claude: Path) -> None:
    nobody = ("tools", "connect", "claude", "--url", "http://127.0.0.1:9")
    done = shell.run(*nobody)
    assert (done.exit_code, done.stderr) == (
        1,
        "no gateway answers at http://127.0.0.1:9; start one with: isthmus serve, or say a model with --model\n",
    )
    assert shell.run(*nobody, "--model", "m").exit_code == 0
    assert json.loads(claude.read_text())["env"]["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "m"


def test_what_is_no_gateway_is_told_from_one(shell: Shell, host: Host, root: str) -> None:
    host.body = b"<html>"
    done = shell.run("tools", "connect", "claude", "--url", root)
    assert done.stderr == f"what answers at {root} is no gateway: it lists no models\n"


def test_a_broken_file_is_refused_by_its_name(shell: Shell, claude: Path, root: str) -> None:
    claude.write_text('{"env": ')
    done = shell.run("tools", "connect", "claude", "--url", root)
    assert (done.exit_code, done.stderr) == (1, "Claude Code: settings.json is no JSON, and is left as it is\n")
    assert claude.read_text() == '{"env": '


@pytest.mark.parametrize("name", ["cursor", "open-webui"])
def test_what_cannot_be_done_by_a_file_is_told_step_by_step(name: str, shell: Shell, root: str) -> None:
    before = list(shell.folder.rglob("*"))
    done = shell.run("tools", "connect", name, "--url", root)
    assert done.exit_code == 0
    assert "1. " in done.stdout
    assert f"{root}/v1" in done.stdout
    assert list(shell.folder.rglob("*")) == before


def test_an_unknown_tool_is_told_with_those_that_are_known(shell: Shell) -> None:
    done = shell.run("tools", "connect", "emacs")
    assert done.stderr == f"there is no tool emacs; there are {', '.join(TOOLS)}\n"
