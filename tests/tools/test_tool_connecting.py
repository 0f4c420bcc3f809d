"""Tools are pointed at the gateway by their own files, and back: byte for byte, and whatever happens in between."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from isthmus.core.errors import GatewayError
from isthmus.core.secret import Secret
from isthmus.tools.connecting import Planned, connect, disconnect, plan_to_connect, plan_to_disconnect, state_of
from isthmus.tools.formats.documents import read
from isthmus.tools.formats.values import look
from isthmus.tools.records import RecordFolder
from isthmus.tools.table import TOOLS
from isthmus.tools.tool import ANY_KEY, Aim, Home, Tool

URL = "http://127.0.0.1:8317"
MODELS = ("claude-sonnet-4-6", "claude-opus-4-6", "claude-haiku-4-5", "gpt-5.2", "gemini-3-pro", "openai/gpt-5.2")
AIM = Aim(URL, Secret("isk_0123456789"), "gpt-5.2", MODELS)
CHANGING = [tool for tool in TOOLS.values() if tool.name not in ("cursor", "open-webui")]
THEIRS = {
    "json": """{
    "theme": "dark",
    "env": {"ANTHROPIC_API_KEY": "sk-ant-1", "EDITOR": "vi"},
    "hooks": []
}""",
    "jsonc": """// mine
{
\t"theme": "dark", // at night
\t/* later: "model": 1 */
\t"mcpServers": {"a": {"args": ["x",],},},
}
""",
    "toml": """# mine
model = "o3" # the best

[tui]
theme = "dark"

[mcp_servers."a b"]
command = "x"
# end
""",
    "yaml": """# mine
name: Mine
version: 0.0.1
schema: v1
model: sonnet # the best
models:
- name: A
  model: a
# end
""",
    "env": "# mine\nexport GEMINI_API_KEY='AIza 1'\nDEBUG=1",
}
LISTS = {"llm": "# mine\n- model_id: other\n  model_name: x # y\n"}
"""A file of llm's is a list."""


class Machine:
    """A person's home folder, and what was changed in it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder, {}.get)
        self.records = RecordFolder(folder / ".local" / "share" / "isthmus" / "tools")

    def connect(self, tool: Tool, aim: Aim = AIM) -> Sequence[Planned]:
        planned = plan_to_connect(tool, aim, self.home, self.records)
        connect(tool, aim, planned, self.records)
        return planned

    def disconnect(self, tool: Tool) -> Sequence[Planned]:
        planned = plan_to_disconnect(tool, self.records)
        disconnect(tool, planned, self.records)
        return planned

    def files(self, tool: Tool) -> list[Path]:
        return [change.path for change in tool.changes(AIM, self.home)]

    def write_theirs(self, tool: Tool) -> dict[Path, bytes]:
        """A file of the person's own at each place; what they hold."""
        written: dict[Path, bytes] = {}
        for change in tool.changes(AIM, self.home):
            text = THEIRS[change.kind] if change.kind != "yaml" else LISTS.get(tool.name, THEIRS["yaml"])
            change.path.parent.mkdir(parents=True, exist_ok=True)
            change.path.write_text(text)
            written[change.path] = text.encode()
        return written

    def everything(self) -> dict[str, bytes | None]:
        return {
            str(path.relative_to(self.home.folder)): path.read_bytes() if path.is_file() else None
            for path in self.home.folder.rglob("*")
            if ".local" not in path.parts
        }


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


every_tool = pytest.mark.parametrize("tool", CHANGING, ids=lambda tool: str(tool.name))
CLAUDE, CODEX, ZED = TOOLS["claude"], TOOLS["codex"], TOOLS["zed"]


@every_tool
def test_a_tool_without_files_has_none_again(tool: Tool, machine: Machine) -> None:
    machine.connect(tool)
    assert all(path.exists() for path in machine.files(tool))
    machine.disconnect(tool)
    assert machine.everything() == {}


@every_tool
def test_files_are_byte_for_byte_as_they_were(tool: Tool, machine: Machine) -> None:
    written = machine.write_theirs(tool)
    before = machine.everything()
    machine.connect(tool)
    assert all(path.read_bytes() != content for path, content in written.items())
    machine.disconnect(tool)
    assert machine.everything() == before


@every_tool
def test_twice_is_once(tool: Tool, machine: Machine) -> None:
    machine.write_theirs(tool)
    before = machine.everything()
    machine.connect(tool)
    once = machine.everything()
    assert not any(one.differs for one in machine.connect(tool))
    assert machine.everything() == once
    machine.disconnect(tool)
    assert machine.everything() == before


@every_tool
def test_what_was_first_comes_back_after_another_model_and_another_address(tool: Tool, machine: Machine) -> None:
    machine.write_theirs(tool)
    before = machine.everything()
    machine.connect(tool)
    machine.connect(tool, Aim("https://gateway.example.com", Secret("isk_other"), "gemini-3-pro"))
    assert not any(URL.encode() in (content or b"") for content in machine.everything().values())
    machine.disconnect(tool)
    assert machine.everything() == before


@every_tool
def test_its_state_is_told(tool: Tool, machine: Machine) -> None:
    assert state_of(tool, AIM, machine.home, machine.records).url is None
    machine.connect(tool)
    assert state_of(tool, AIM, machine.home, machine.records).url == URL
    machine.disconnect(tool)
    assert state_of(tool, AIM, machine.home, machine.records).url is None


def test_the_same_by_hand_is_told_as_such(machine: Machine) -> None:
    path = machine.files(CLAUDE)[0]
    path.parent.mkdir()
    path.write_text(f'{{"env": {{"ANTHROPIC_BASE_URL": "{URL}"}}}}')
    state = state_of(CLAUDE, AIM, machine.home, machine.records)
    assert (state.url, state.by_hand) == (URL, True)


def test_what_a_tool_wrote_since_stays_and_ours_goes(machine: Machine) -> None:
    machine.write_theirs(CODEX)
    machine.connect(CODEX)
    path = machine.files(CODEX)[0]
    path.write_text(path.read_text() + '\n[projects."/src"]\ntrust_level = "trusted"\n')
    assert not state_of(CODEX, AIM, machine.home, machine.records).changed
    machine.disconnect(CODEX)
    said = path.read_text()
    assert "isthmus" not in said
    assert 'model = "o3" # the best' in said, "what was there before us is put back"
    assert said.startswith("# mine\n")
    assert '[projects."/src"]\ntrust_level = "trusted"\n' in said
    assert list(path.parent.iterdir()) == [path], "what was kept of the file is taken away"


def test_what_somebody_made_of_ours_is_theirs(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    machine.connect(CLAUDE)
    path = machine.files(CLAUDE)[0]
    path.write_text(path.read_text().replace(URL, "https://elsewhere.example.com"))
    assert state_of(CLAUDE, AIM, machine.home, machine.records).changed
    machine.disconnect(CLAUDE)
    said = read(CLAUDE.changes(AIM, machine.home)[0].kind, path.read_text())
    assert look(said, ("env",)) == {
        "ANTHROPIC_API_KEY": "sk-ant-1",
        "EDITOR": "vi",
        "ANTHROPIC_BASE_URL": "https://elsewhere.example.com",
    }


def test_a_file_that_is_gone_stays_gone(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    machine.connect(CLAUDE)
    path = machine.files(CLAUDE)[0]
    path.unlink()
    machine.disconnect(CLAUDE)
    assert not path.exists()


def test_without_what_was_kept_ours_is_still_taken_out(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    machine.connect(CLAUDE)
    path = machine.files(CLAUDE)[0]
    path.with_name("settings.json.before-isthmus").unlink()
    machine.disconnect(CLAUDE)
    assert look(read(CLAUDE.changes(AIM, machine.home)[0].kind, path.read_text()), ("env",)) == {"EDITOR": "vi"}


@pytest.mark.parametrize("tool", ["claude", "codex", "zed", "continue", "gemini", "opencode", "qwen", "aider", "llm"])
@pytest.mark.parametrize("content", [b'{"a": [', b"a: [1, b\n - c", b'= "x"', b"\xff\xfe\x00"])
def test_a_file_that_does_not_parse_is_left_as_it_is(tool: str, content: bytes, machine: Machine) -> None:
    path = machine.files(TOOLS[tool])[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(GatewayError, match=path.name):
        machine.connect(TOOLS[tool])
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_comments_are_refused_where_the_tool_takes_none(machine: Machine) -> None:
    path = machine.files(CLAUDE)[0]
    path.parent.mkdir()
    path.write_text("// no\n{}")
    with pytest.raises(GatewayError, match=r"settings\.json is no JSON, and is left as it is"):
        machine.connect(CLAUDE)


def test_a_file_that_another_program_changes_at_this_moment_is_left_to_it(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    planned = plan_to_connect(CLAUDE, AIM, machine.home, machine.records)
    path = machine.files(CLAUDE)[0]
    path.write_text('{"theme": "light"}')
    with pytest.raises(GatewayError, match="was changed by another program at this moment"):
        connect(CLAUDE, AIM, planned, machine.records)
    assert path.read_text() == '{"theme": "light"}'
    machine.disconnect(CLAUDE)
    assert path.read_text() == '{"theme": "light"}'


def test_a_file_is_for_its_owner_alone_while_it_holds_a_key(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    path = machine.files(CLAUDE)[0]
    path.chmod(0o644)
    machine.connect(CLAUDE)
    kept = path.with_name("settings.json.before-isthmus")
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, kept)] == [0o600, 0o600]
    machine.disconnect(CLAUDE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_without_a_key_a_file_keeps_its_mode(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    path = machine.files(CLAUDE)[0]
    path.chmod(0o640)
    machine.connect(CLAUDE, Aim(URL, Secret(ANY_KEY), "m"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(machine: Machine, tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "zed.json", machine.files(ZED)[0]
    real.parent.mkdir()
    link.parent.mkdir(parents=True)
    real.write_text("{}\n")
    link.symlink_to(os.path.relpath(real, link.parent))
    machine.connect(ZED)
    assert link.is_symlink()
    assert URL in real.read_text()
    machine.disconnect(ZED)
    assert (link.is_symlink(), real.read_text()) == (True, "{}\n")


@pytest.mark.parametrize("text", ['\ufeff{\r\n  "a": 1\r\n}\r\n', '{"a":1}', "{\r\n}", "\n"])
def test_marks_and_line_ends_of_another_system_stay(text: str, machine: Machine) -> None:
    path = machine.files(ZED)[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode())
    machine.connect(ZED)
    said = path.read_bytes().decode()
    assert said.startswith("\ufeff") == text.startswith("\ufeff")
    if "\r" in text:
        assert said.count("\n") == said.count("\r\n")
    machine.disconnect(ZED)
    assert path.read_bytes() == text.encode()


def test_a_kept_file_of_before_is_not_written_over(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    path = machine.files(CLAUDE)[0]
    older = path.with_name("settings.json.before-isthmus")
    older.write_text("{}")
    machine.connect(CLAUDE)
    assert older.read_text() == "{}"
    machine.disconnect(CLAUDE)
    assert older.read_text() == "{}"


def test_no_record_holds_a_secret(machine: Machine) -> None:
    for tool in CHANGING:
        machine.write_theirs(tool)
        machine.connect(tool)
    records = [path.read_text() for path in (machine.home.folder / ".local").rglob("*.json")]
    assert len(records) == len(CHANGING)
    assert not [one for one in records if "isk_" in one or "sk-ant" in one]


def test_a_key_of_anthropic_does_not_reach_the_gateway(machine: Machine) -> None:
    machine.write_theirs(CLAUDE)
    machine.connect(CLAUDE)
    said = read(CLAUDE.changes(AIM, machine.home)[0].kind, machine.files(CLAUDE)[0].read_text())
    assert look(said, ("env",)) == {
        "EDITOR": "vi",
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": "isk_0123456789",
        "ANTHROPIC_API_KEY": "",
        "ANTHROPIC_MODEL": "gpt-5.2",
        "ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-4-6",
        "ANTHROPIC_DEFAULT_SONNET_MODEL": "claude-sonnet-4-6",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-4-5",
    }


@pytest.mark.parametrize(
    ("tool", "model"),
    [("claude", "claude-sonnet-4-6"), ("gemini", "gemini-3-pro"), ("codex", "gpt-5.2"), ("qwen", "claude-sonnet-4-6")],
)
def test_without_a_word_about_it_a_tool_asks_for_the_likeliest_model(tool: str, model: str) -> None:
    assert TOOLS[tool].liked(MODELS) == model
