"""The guide for those who come from another gateway is true: its commands run, and its lists are complete."""

import re
import shlex
from pathlib import Path

import pytest

from isthmus.config.imports.kinds import KINDS
from isthmus.config.listening import PORTS
from isthmus.config.load import Loaded
from isthmus.config.other_variables import FILES, HOMES, VARIABLES
from support.configured import config_of
from support.importing import text_of
from support.shell import Shell

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "coming-from.md").read_text()
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)).splitlines()


def test_its_commands_run_one_after_the_other(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Loaded] = []

    def run(loaded: Loaded, **_: object) -> int:
        served.append(loaded)
        return 0

    monkeypatch.setattr("isthmus.app.run", run)
    shell.write(text_of("llm_mux.yaml"), "config.yaml")
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        done = shell.run(*arguments)
        assert (program, done.exit_code) == ("isthmus", 0), f"{command}: {done.output}"
    assert [loaded.system for loaded in served] == ["llm-mux", "", ""]


def test_its_example_is_valid() -> None:
    for example in re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL):
        assert len(config_of(example, {"OPENAI_API_KEY": "sk-0123456789"}).listeners) == 2


def test_it_has_every_system_whose_file_is_read() -> None:
    for kind in KINDS.values():
        assert f"\n## {kind.system}\n" in GUIDE


def test_it_has_every_kind_of_listener_with_its_port() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", GUIDE, flags=re.MULTILINE))
    assert rows == {compat.value: str(port) for compat, port in PORTS.items()}


def test_it_has_every_variable() -> None:
    assert {name for name in (*VARIABLES, *FILES, *HOMES) if f"`{name}`" not in GUIDE} == set()
