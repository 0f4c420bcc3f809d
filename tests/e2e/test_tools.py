"""Each tool from its registry, unmodified: pointed at the gateway by `isthmus tools connect`, started by `isthmus run`.

Where a tool can write its own settings it writes them first; else they are as its manual shows them. Afterwards they
are byte for byte as they were.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes.claude_code import QUIET
from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.scripts import HELLO

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]
MODEL = "says-hello-on-openai"
PATIENCE = 120.0
SAID = "Hello from the wire"
"""What the scripted model's words begin with, however a terminal breaks them."""
assert HELLO.startswith(SAID)


@dataclass(frozen=True)
class Program:
    """How a tool is started for one prompt, and where its settings come from.

    `makes` are commands of its own that write them, `wrote` the files that do so where it has none.
    """

    binary: str
    prompt: tuple[str, ...]
    makes: tuple[tuple[str, ...], ...] = ()
    wrote: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    runs: bool = True


PROGRAMS: Mapping[str, Program] = {
    "claude": Program(
        "claude",
        ("-p", "Hello?"),
        wrote={".claude/settings.json": '{\n  "theme": "dark",\n  "env": {"ANTHROPIC_API_KEY": "sk-ant-mine"}\n}\n'},
        variables=dict.fromkeys(QUIET, "1"),
    ),
    "codex": Program(
        "codex",
        ("exec", "--skip-git-repo-check", "Hello?"),
        makes=(("mcp", "add", "clock", "--", "/bin/true"),),
    ),
    "gemini": Program(
        "gemini",
        ("-p", "Hello?"),
        makes=(("mcp", "add", "--scope", "user", "clock", "/bin/true"),),
        variables={"GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_CLI_NO_RELAUNCH": "true"},
    ),
    "opencode": Program(
        "opencode",
        ("run", "--format", "json", "Hello?"),
        wrote={
            ".config/opencode/opencode.jsonc": '{\n  "$schema": "https://opencode.ai/config.json",\n'
            '  // at night\n  "autoupdate": false,\n}\n'
        },
        variables={"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
    ),
    "qwen": Program(
        "qwen",
        ("-p", "Hello?"),
        makes=(("mcp", "add", "--scope", "user", "clock", "/bin/true"), ("mcp", "list")),
    ),
    "aider": Program(
        "aider",
        ("--message", "Hello?", "--no-git", "--yes-always", "--no-show-model-warnings", "--no-pretty"),
        wrote={".aider.conf.yml": "# mine\ndark-mode: true\nmodel: sonnet # the best\n"},
        variables={"AIDER_CHECK_UPDATE": "false", "AIDER_ANALYTICS": "false"},
    ),
    "continue": Program(
        "cn",
        ("-p", "Hello?"),
        wrote={
            ".continue/config.yaml": "name: Mine\nversion: 0.0.1\nschema: v1\nrules:\n  - Be brief. # please\n",
        },
        variables={"CONTINUE_TELEMETRY_ENABLED": "0"},
    ),
    "llm": Program(
        "llm",
        ("-m", f"isthmus/{MODEL}", "Hello?"),
        makes=(("keys", "set", "other", "--value", "sk-other"),),
        runs=False,
    ),
    "pi": Program(
        "pi",
        ("-p", "Hello?"),
        wrote={".pi/agent/settings.json": '{\n  "theme": "dark"\n}\n'},
        variables={"PI_OFFLINE": "1"},
    ),
}


class Person:
    """Somebody with a home folder and one tool."""

    def __init__(self, name: str, clients: Path, root: str, folder: Path) -> None:
        self.name, self.program, self._root = name, PROGRAMS[name], root
        self._home, self._work = folder / "home", folder / "work"
        for made in (self._home, self._work):
            made.mkdir()
        if name == "aider" and sys.version_info >= (3, 13):
            pytest.skip("aider is for Python before 3.13")
        self._path = f"{clients / 'node_modules' / '.bin'}:{clients / 'tools' / 'bin'}:{os.environ['PATH']}"
        for file, text in self.program.wrote.items():
            path = self._home / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for words in self.program.makes:
            done = self.call(self.program.binary, *words)
            assert done.returncode == 0, done.stdout + done.stderr

    def call(self, *words: str) -> "subprocess.CompletedProcess[str]":
        variables = {"PATH": self._path, "HOME": str(self._home), "TMPDIR": str(self._work), "TERM": "dumb"}
        return subprocess.run(
            words,
            cwd=self._work,
            env={**variables, **self.program.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def isthmus(self, *words: str) -> str:
        done = self.call(sys.executable, "-m", "isthmus", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def aim(self) -> tuple[str, ...]:
        return "--url", self._root, "--key", CLIENT_KEY, "--model", MODEL

    def ask(self, *before: str) -> str:
        """What the tool says to the prompt; `before` is what starts it, where that is not itself."""
        done = self.call(*(before or (self.program.binary,)), *self.program.prompt)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settings(self) -> dict[str, bytes]:
        """The files that are pointed at the gateway, where they are."""
        listed = self.isthmus("tools", "--json")
        row = next(one for one in json.loads(listed)["tools"] if one["name"] == self.name)
        paths = [self._home / str(file).removeprefix("~/") for file in row["files"]]
        return {path.name: path.read_bytes() for path in paths if path.exists()}


@pytest.fixture
def person(client: str, clients: Path, gateway: RunningGateway, tmp_path: Path) -> Person:
    return Person(client, clients, gateway.root, tmp_path)


@pytest.mark.parametrize("provider", ["openai"])
@pytest.mark.parametrize("client", PROGRAMS)
def test_connected(client: str, provider: str, person: Person) -> None:
    """It answers through the gateway once it is connected; afterwards its files are as they were."""
    before = person.settings()
    assert before, "it has settings of its own"
    person.isthmus("tools", "connect", client, *person.aim())
    connected = person.settings()
    assert SAID in person.ask()
    changed = person.settings() != connected
    person.isthmus("tools", "disconnect", client)
    after = person.settings()
    assert after == before or changed, "only what it wrote itself may differ"
    assert not any(CLIENT_KEY.encode() in content for content in after.values())


@pytest.mark.parametrize("provider", ["openai"])
@pytest.mark.parametrize("client", [name for name, program in PROGRAMS.items() if program.runs])
def test_run(client: str, provider: str, person: Person) -> None:
    """It answers through the gateway when it is started so, and nothing of its settings is written."""
    before = person.settings()
    said = person.ask(sys.executable, "-m", "isthmus", "run", *person.aim(), client)
    assert SAID in said
    assert person.settings() == before
