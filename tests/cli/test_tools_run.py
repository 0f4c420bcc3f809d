"""`isthmus run`: a program in this one's place, as it would be alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fakes.gateway import free_port
from fakes.listing_host import Host, open_host
from support.shell import Shell

TELLS = """#!{python}
import json, os, pathlib, sys
settings = [pathlib.Path(word).read_text() for word in sys.argv if word.endswith(".json")]
home = os.environ.get("GEMINI_CLI_HOME")
links = {{one.name: os.path.realpath(one) for one in pathlib.Path(home, ".gemini").iterdir()}} if home else {{}}
if home:
    settings.append(pathlib.Path(home, ".gemini/settings.json").read_text())
print(json.dumps([sys.argv[1:], dict(os.environ), settings, links]))
sys.exit(7)
"""
WAITS = """#!{python}
import os, signal, time
def told(number, frame):
    os.write(1, b"told %d\\n" % number)
    os._exit(9)
signal.signal(signal.SIGTERM, told)
signal.signal(signal.SIGINT, told)
os.write(1, b"ready\\n")
time.sleep(30)
"""
LOOKS = "#!{python}\nimport os\nprint(os.isatty(0))\n"
DIES = "#!{python}\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"


class Machine:
    """A home folder with programs in it."""

    def __init__(self, home: Path, root: str) -> None:
        self.home, self.root = home, root
        self._bin = home / "bin"
        self._bin.mkdir()

    def install(self, name: str, program: str) -> None:
        path = self._bin / name
        path.write_text(program.format(python=sys.executable))
        path.chmod(0o755)

    def settings(self, file: str, text: str) -> None:
        path = self.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "isthmus", "run", "--url", self.root, "--model", "m", "--key", "k", *words]

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        return {"PATH": f"{self._bin}:{os.environ['PATH']}", "HOME": str(self.home), "TMPDIR": str(self.home), **more}

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*words), env=self.variables(more), capture_output=True, text=True, timeout=30, check=False
        )

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.home.rglob("*") if path.is_file()}


@pytest.fixture
def host() -> Iterator[Host]:
    with open_host() as host:
        host.body = b'{"data":[{"id":"m"}]}'
        yield host


@pytest.fixture
def machine(tmp_path: Path, host: Host) -> Machine:
    return Machine(tmp_path, host.url.removesuffix("/v1"))


def test_it_gets_its_own_words_and_our_variables_and_its_exit_code_is_ours(machine: Machine) -> None:
    machine.install("claude", TELLS)
    before = machine.files()
    done = machine.run("claude", "-p", "--model", "own", "--help", ANTHROPIC_API_KEY="sk-real", EDITOR="vi")
    words, variables, _, _ = json.loads(done.stdout)
    assert (done.returncode, words) == (7, ["-p", "--model", "own", "--help"])
    assert variables["ANTHROPIC_BASE_URL"] == machine.root
    assert (variables["ANTHROPIC_AUTH_TOKEN"], variables["EDITOR"]) == ("k", "vi")
    assert "ANTHROPIC_API_KEY" not in variables
    assert machine.files() == before


def test_codex_is_told_by_words_that_win_over_its_file(machine: Machine) -> None:
    machine.install("codex", TELLS)
    words, variables, _, _ = json.loads(machine.run("codex", "exec").stdout)
    said = dict(word.split("=", 1) for word in words if "=" in word)
    assert said["model_providers.isthmus.base_url"] == f'"{machine.root}/v1"'
    assert said["model_provider"] == '"isthmus"'
    assert variables[json.loads(said["model_providers.isthmus.env_key"])] == "k"
    assert words[-1] == "exec"


def test_settings_that_would_win_over_variables_are_won_over_by_a_file_that_is_gone_afterwards(
    machine: Machine,
) -> None:
    machine.install("claude", TELLS)
    machine.settings(".claude/settings.json", '{"env": {"ANTHROPIC_BASE_URL": "https://x.example.com"}}')
    before = machine.files()
    done = machine.run("claude")
    words, _, settings, _ = json.loads(done.stdout)
    assert (done.returncode, words[0]) == (7, "--settings")
    assert json.loads(settings[0])["env"]["ANTHROPIC_BASE_URL"] == machine.root
    assert not Path(words[1]).exists()
    assert machine.files() == before


def test_gemini_that_signs_in_otherwise_gets_a_home_of_links_for_as_long_as_it_runs(machine: Machine) -> None:
    machine.install("gemini", TELLS)
    machine.settings(".gemini/settings.json", '{"ui": {"theme": "x"}, "security": {"auth": {"selectedType": "other"}}}')
    machine.settings(".gemini/GEMINI.md", "mine")
    before = machine.files()
    _, variables, settings, links = json.loads(machine.run("gemini").stdout)
    assert json.loads(settings[0]) == {"ui": {"theme": "x"}, "security": {"auth": {"selectedType": "gemini-api-key"}}}
    assert links["GEMINI.md"] == str(machine.home / ".gemini" / "GEMINI.md")
    assert not Path(variables["GEMINI_CLI_HOME"]).exists()
    assert machine.files() == before


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "in place"])
def test_a_signal_reaches_it(machine: Machine, beside: bool) -> None:
    machine.install("claude", WAITS)
    if beside:
        machine.settings(".claude/settings.json", '{"env": {"ANTHROPIC_MODEL": "x"}}')
    with subprocess.Popen(
        machine.command("claude"), env=machine.variables({}), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == f"told {int(signal.SIGTERM)}\n"
        assert process.wait(10) == 9


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "in place"])
def test_what_a_terminal_sends_to_all_reaches_it_once(machine: Machine, beside: bool) -> None:
    machine.install("claude", WAITS)
    if beside:
        machine.settings(".claude/settings.json", '{"env": {"ANTHROPIC_MODEL": "x"}}')
    with subprocess.Popen(
        machine.command("claude"),
        env=machine.variables({}),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.read() == f"told {int(signal.SIGINT)}\n"
        assert process.wait(10) == 9


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "in place"])
def test_its_terminal_is_ours(machine: Machine, beside: bool) -> None:
    machine.install("claude", LOOKS)
    if beside:
        machine.settings(".claude/settings.json", '{"env": {"ANTHROPIC_MODEL": "x"}}')
    ours, its = os.openpty()
    try:
        done = subprocess.run(
            machine.command("claude"),
            env=machine.variables({}),
            stdin=its,
            stdout=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(its)
    assert done.stdout == b"True\n"


@pytest.mark.parametrize("beside", [True, False], ids=["beside", "in place"])
def test_its_death_by_a_signal_is_ours(machine: Machine, beside: bool) -> None:
    machine.install("claude", DIES)
    if beside:
        machine.settings(".claude/settings.json", '{"env": {"ANTHROPIC_MODEL": "x"}}')
    assert machine.run("claude").returncode == -signal.SIGKILL


def test_without_a_gateway_it_is_told_how_to_start_one(machine: Machine) -> None:
    machine.install("codex", TELLS)
    url = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, "-m", "isthmus", "run", "--url", url, "codex"],
        env=machine.variables({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"no gateway answers at {url}; start one with: isthmus serve\n"


def test_what_is_not_installed_is_told(shell: Shell) -> None:
    done = shell.run("run", "codex", variables={"PATH": "/nowhere"})
    assert (done.exit_code, done.stderr) == (1, "Codex CLI is not installed: codex is not on the path\n")


def test_what_cannot_be_started_so_is_told(shell: Shell) -> None:
    done = shell.run("run", "zed")
    assert done.exit_code == 1
    assert done.stderr.startswith("Zed cannot be started so; there are claude, codex, gemini, ")
