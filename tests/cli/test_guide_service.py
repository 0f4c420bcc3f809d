"""The guide to the service is true: its commands run, and it tells of every command, file and refusal."""

import os
import re
import shlex
from pathlib import Path

import pytest

from fakes.service_managers import ServiceManagers
from isthmus.cli.commands.service import command
from isthmus.tools.service.environment_file import variables_in
from isthmus.tools.service.launchd import Launchd
from isthmus.tools.service.systemd import Systemd
from support.shell import Shell

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "isthmus"
GUIDE = (ROOT / "docs" / "guide" / "service.md").read_text()
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)).splitlines()


def test_its_commands_run_one_after_the_other(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    managers = ServiceManagers(shell.folder / "bin")
    monkeypatch.setenv("PATH", str(managers.folder))
    monkeypatch.setenv("LOGNAME", "alice")
    monkeypatch.setattr(os, "geteuid", lambda: 501)
    monkeypatch.setattr("isthmus.cli.commands.service.USUAL", {"linux": "systemd"})
    for line in COMMANDS:
        program, *words = shlex.split(line)
        done = shell.run(*words)
        assert (program, done.exit_code) == ("isthmus", 0), f"{line}: {done.output}"
    assert (shell.folder / ".config" / "systemd" / "user" / "isthmus.service").exists()


def test_it_tells_of_every_command() -> None:
    assert {name for name in command.commands if f"`{name}`" not in GUIDE} == set()


def test_it_names_the_files() -> None:
    for manager in (Systemd(Path("~/.config"), "alice"), Launchd(Path("~"), 501)):
        assert f"`{manager.path}`" in GUIDE


def test_its_example_of_variables_is_read(tmp_path: Path) -> None:
    [example] = re.findall(r"```ini\n(.*?)```", GUIDE, flags=re.DOTALL)
    (tmp_path / "environment").write_text(example)
    assert variables_in(tmp_path / "environment") == {
        "OPENAI_API_KEY": "sk-...",
        "ISTHMUS_MANAGEMENT_KEY": "a long random text",
    }


def test_it_quotes_what_is_said() -> None:
    files = [*(SOURCES / "tools" / "service").glob("*.py"), SOURCES / "cli" / "commands" / "service.py"]
    said = "".join(file.read_text() for file in files)
    quoted = re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("## When it does not work")[2], flags=re.MULTILINE)
    assert len(quoted) == 4
    assert [words for words in quoted if words not in said] == []
