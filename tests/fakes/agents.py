"""Coding agents as a person runs them in a script: one prompt, what they answer, a home of their own, no other address.

An `Agent` knows how its program is started and told where the gateway is, and what its tools are called, so that
one script can play the model of each. Claude Code has a file of its own, `claude_code.py`.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fakes.scripts import Act, Answer, Call, Conversation, Script, Words

PATIENCE = 60.0
"""Seconds for one prompt."""
Tool: TypeAlias = tuple[str, dict[str, Any]]
"""A tool's name and its arguments."""


@dataclass(frozen=True)
class Place:
    """Where an agent runs: the gateway's address and key, its home, the folder it works in, and the model's name."""

    root: str
    key: str
    home: Path
    folder: Path
    model: str


@dataclass(frozen=True)
class Told:
    """What it answered, and all it said."""

    text: str
    failed: bool
    said: str


@dataclass(frozen=True)
class Agent:
    """`prepare` writes its settings and gives its environment; `command` is what follows the program's name."""

    name: str
    prepare: Callable[[Place], Mapping[str, str]]
    command: Callable[[str, Place], tuple[str, ...]]
    read: Callable[[str], tuple[str, bool]]
    """The answer, and whether it failed, from its standard output."""
    shell: Callable[[str], Tool]
    write: Callable[[str, str], Tool]
    look: Callable[[str], Tool]
    """Its tools that run a command, write a file and read one."""

    def ask(self, prompt: str, place: Place, *, binaries: Path) -> Told:
        home = str(place.home)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home, **self.prepare(place)}
        done = subprocess.run(
            [str(binaries / self.name), *self.command(prompt, place)],
            cwd=place.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        said = f"{done.stdout}\n{done.stderr}"
        text, failed = self.read(done.stdout)
        return Told(text, failed or done.returncode != 0, said)


def two_files(agent: Agent, folder: Path) -> Script:
    """A model that makes two files at once, reads one of them, and tells what it read."""

    def call(number: int, tool: Tool) -> Call:
        return Call(f"call_{number:04}", tool[0], json.dumps(tool[1]))

    def script(talk: Conversation) -> Act:
        match talk.rounds:
            case 0:
                one = call(1, agent.shell("printf 'one é\\n' > one.txt"))
                two = call(2, agent.write(str(folder / "two.txt"), 'two "quoted" \\ 🙂\n'))
                return Answer((Words("I make both."), one, two), "calls")
            case 1:
                return Answer((call(3, agent.look(str(folder / "two.txt"))),), "calls")
            case _:
                return Answer((Words(f"Read: {' '.join(talk.results.values())}"),))

    return script


def _objects(out: str) -> list[dict[str, Any]]:
    """The objects of an output that holds one a line."""
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def _prepare_codex(place: Place) -> Mapping[str, str]:
    settings = place.home / ".codex" / "config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"""model_provider = "gateway"
[model_providers.gateway]
name = "gateway"
base_url = "{place.root}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
[analytics]
enabled = false
"""
    )
    return {"GATEWAY_KEY": place.key}


def _command_codex(prompt: str, place: Place) -> tuple[str, ...]:
    free = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return ("exec", *free, "--json", "-m", place.model, prompt)


def _read_codex(out: str) -> tuple[str, bool]:
    events = _objects(out)
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    said = [item["text"] for item in items if item["type"] == "agent_message"]
    errors = [event["error"]["message"] for event in events if event["type"] == "turn.failed"]
    return "\n".join(said + errors), bool(errors) or not said


def _write_by_shell(path: str, text: str) -> Tool:
    quoted = text.replace("'", "'\\''")
    return "exec_command", {"cmd": f"printf '%s' '{quoted}' > {path}"}


CODEX = Agent(
    "codex",
    _prepare_codex,
    _command_codex,
    _read_codex,
    shell=lambda command: ("exec_command", {"cmd": command}),
    write=_write_by_shell,
    look=lambda path: ("exec_command", {"cmd": f"cat {path}"}),
)


def _prepare_gemini(place: Place) -> Mapping[str, str]:
    settings = place.home / ".gemini" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    wanted = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False},
    }
    settings.write_text(json.dumps(wanted))
    return {
        "GEMINI_API_KEY": place.key,
        "GOOGLE_GEMINI_BASE_URL": place.root,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "GEMINI_CLI_NO_RELAUNCH": "true",
    }


def _command_gemini(prompt: str, place: Place) -> tuple[str, ...]:
    return ("-p", prompt, "--yolo", "-o", "json", "-m", place.model)


def _read_gemini(out: str) -> tuple[str, bool]:
    told = json.loads(out[out.index("{") :]) if "{" in out else {}
    return told.get("response") or str(told.get("error", "")), "error" in told or not told.get("response")


GEMINI = Agent(
    "gemini",
    _prepare_gemini,
    _command_gemini,
    _read_gemini,
    shell=lambda command: ("run_shell_command", {"command": command, "description": "Run it"}),
    write=lambda path, text: ("write_file", {"file_path": path, "content": text}),
    look=lambda path: ("read_file", {"file_path": path}),
)

PACKAGES = {
    "openai-compatible": ("@ai-sdk/openai-compatible", "/v1"),
    "openai": ("@ai-sdk/openai", "/v1"),
    "anthropic": ("@ai-sdk/anthropic", "/v1"),
    "google": ("@ai-sdk/google", "/v1beta"),
}
"""The libraries by which opencode speaks, and where each finds its API."""


def _prepare_opencode(speaks: str) -> Callable[[Place], Mapping[str, str]]:
    package, path = PACKAGES[speaks]

    def prepare(place: Place) -> Mapping[str, str]:
        small = "openai/says-hello"
        provider = {
            "npm": package,
            "name": "gateway",
            "options": {"baseURL": place.root + path, "apiKey": place.key},
            "models": {place.model: {}, small: {}},
        }
        wanted = {
            "autoupdate": False,
            "share": "disabled",
            "model": f"gateway/{place.model}",
            "small_model": f"gateway/{small}",
            "provider": {"gateway": provider},
        }
        (place.folder / "opencode.json").write_text(json.dumps(wanted))
        return {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}

    return prepare


def _read_opencode(out: str) -> tuple[str, bool]:
    events = _objects(out)
    said = [event["part"]["text"] for event in events if event["type"] == "text"]
    errors = [json.dumps(event["error"]) for event in events if event["type"] == "error"]
    return "\n".join(said + errors), bool(errors) or not said


def opencode(speaks: str) -> Agent:
    """opencode by one of the libraries of PACKAGES."""
    return Agent(
        "opencode",
        _prepare_opencode(speaks),
        lambda prompt, _: ("run", "--format", "json", prompt),
        _read_opencode,
        shell=lambda command: ("bash", {"command": command, "description": "Run it"}),
        write=lambda path, text: ("write", {"filePath": path, "content": text}),
        look=lambda path: ("read", {"filePath": path}),
    )


AGENTS: Mapping[str, Agent] = {
    "codex": CODEX,
    "gemini": GEMINI,
    **{f"opencode ({speaks})": opencode(speaks) for speaks in PACKAGES},
}
