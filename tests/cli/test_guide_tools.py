"""The guide to tools is true: a page for each, whose commands run and whose settings are what is written."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from fakes.listing_host import Host, open_host
from isthmus.core.secret import Secret
from isthmus.tools.table import TOOLS
from isthmus.tools.tool import ANY_KEY, Aim, Home, Start
from support.shell import Shell

FOLDER = Path(__file__).parents[2] / "docs" / "guide"
GUIDE = (FOLDER / "tools.md").read_text()
ROWS = re.findall(r"^\| \[(.+?)\]\(tools/(.+?)\.md\) \| `(.+?)` \| (.+?) \| (yes|no) \|$", GUIDE, flags=re.MULTILINE)
PAGES: Mapping[str, str] = {name: (FOLDER / "tools" / f"{page}.md").read_text() for _, page, name, _, _ in ROWS}
HOME = Home(Path("/home/me"), {}.get)
AIM = Aim("http://127.0.0.1:8317", Secret(ANY_KEY), "gpt-5.2")


@pytest.fixture
def host() -> Iterator[Host]:
    with open_host() as host:
        host.body = b'{"data":[{"id":"gpt-5.2"},{"id":"claude-sonnet-4-6"}]}'
        yield host


def commands(text: str) -> Sequence[str]:
    return "".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).splitlines()


def test_every_tool_has_a_row_with_its_files() -> None:
    told = [(name, title, files, runs == "yes") for title, _, name, files, runs in ROWS]
    assert told == [(tool.name, tool.title, _files(tool.name), tool.start is not None) for tool in TOOLS.values()]


def _files(name: str) -> str:
    paths = [f"`~/{change.path.relative_to(HOME.folder)}`" for change in TOOLS[name].changes(AIM, HOME)]
    return ", ".join(paths) or "none: steps are told"


@pytest.mark.parametrize("name", ["", *PAGES])
def test_its_commands_run(name: str, shell: Shell, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other programs are only looked at: they are the tool's, or ours begins them."""
    started: list[tuple[str, tuple[str, ...]]] = []

    def start(program: str, _: Start, words: Sequence[str], __: Mapping[str, str]) -> NoReturn:
        started.append((Path(program).name, tuple(words)))
        raise SystemExit(0)

    monkeypatch.setattr("isthmus.cli.commands.run.start_in_place", start)
    monkeypatch.setattr("shutil.which", lambda program, path=None: f"/usr/bin/{program}")
    root = host.url.removesuffix("/v1")
    host_and_port = root.removeprefix("http://").split(":")
    shell.write(f"listeners: [{{host: {host_and_port[0]}, port: {host_and_port[1]}}}]\n")
    for line in commands(PAGES.get(name, GUIDE)):
        program, *words = shlex.split(line)
        if program == "isthmus":
            done = shell.run(*words)
            assert done.exit_code == 0, f"{line}: {done.output}"
        else:
            assert program in TOOLS[name].programs, line
    assert not list(shell.folder.rglob("*.before-isthmus")), "its last command puts everything back"


@pytest.mark.parametrize("name", PAGES)
def test_each_file_it_writes_is_named(name: str) -> None:
    for change in TOOLS[name].changes(AIM, HOME):
        assert change.path.name in PAGES[name]
        for path in change.puts:
            first = path[0]
            assert not isinstance(first, str) or first in PAGES[name], path


def test_its_example_for_codex_is_what_is_written() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGES["codex"], flags=re.DOTALL)
    (change,) = TOOLS["codex"].changes(AIM, HOME)
    provider = change.puts["model_providers", "isthmus"]
    assert tomllib.loads(example) == {
        "model": "gpt-5.2",
        "model_provider": "isthmus",
        "model_providers": {"isthmus": provider},
    }


@pytest.mark.parametrize("name", ["aider", "continue"])
def test_its_examples_in_yaml_are_what_is_written(name: str) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGES[name], flags=re.DOTALL)
    (change,) = TOOLS[name].changes(AIM, HOME)
    said = yaml.safe_load(example)
    written = list(change.puts.values())
    assert said == {"models": written} if name == "continue" else list(said.values()) == written
