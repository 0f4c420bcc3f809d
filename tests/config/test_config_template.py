"""The file that `init` writes is right as it is, in each of its examples, and when its key changes."""

import re
import stat
from pathlib import Path

import pytest

from isthmus.config.compile import compile_config
from isthmus.config.load import load
from isthmus.config.nodes import Broken
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema import Config
from isthmus.config.secrets import Environment
from isthmus.config.template import TEMPLATE, CannotRekey, rekey, write_template
from isthmus.config.write import MODE, begin, change_key, new_key
from isthmus.core.secret import Secret
from isthmus.engine.live import Live
from support.configured import config_of

KEY = Secret("a-new-key-0123456789")
VARIABLES = {
    name: f"{name.lower()}-0123456789"
    for name in (
        "LAPTOP_KEY",
        "TEAM_KEY",
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY_2",
        "AZURE_CLIENT_SECRET",
        "OUR_KEY",
        "DASHBOARD_KEY",
    )
}


def with_examples(text: str) -> str:
    """The text with every commented example in force."""
    return re.sub(r"^#(?=[a-z]|  )", "", text, flags=re.MULTILINE)


def test_the_written_file_is_the_defaults_and_a_key() -> None:
    config = config_of(write_template(KEY))
    assert (config.management_key, config.listeners) == (KEY, Config().listeners)


def test_every_example_in_it_is_valid() -> None:
    config = config_of(with_examples(write_template(KEY)), VARIABLES)
    assert list(config.providers) == ["openai", "anthropic", "ollama", "azure", "vertex", "bedrock", "codex", "ours"]
    assert list(config.routes) == ["smart", "small"]
    assert len(config.client_keys) == 2


def test_every_name_in_its_examples_leads_somewhere_and_every_limit_has_its_scope() -> None:
    config = config_of(with_examples(write_template(KEY)), VARIABLES)
    snapshot = compile_config(config)
    directory = Live(snapshot).take().directory
    assert all(directory.plan(name).targets for name in (*config.routes, *config.aliases))
    assert list(snapshot.allowances) == [
        "provider:openai",
        "key:openai/second",
        "client:laptop",
        "team:research",
        "global:",
        "route:small",
    ]


def test_every_section_and_key_stands_in_it() -> None:
    said = set(re.findall(r"([a-z0-9-]+):", with_examples(TEMPLATE)))
    assert set(Config.__struct_encode_fields__) <= said
    assert {"request-body", "ping-every", "first-byte", "idle-seconds", "level", "dialect", "proxy-url"} <= said


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("management-key: old\n", "management-key: NEW\n"),
        ("# é ü\nmanagement-key: 'old'   # mine\nlog: {}\n", "# é ü\nmanagement-key: NEW   # mine\nlog: {}\n"),
        ("log: {} # ü\r\nmanagement-key:   ${OLD}\r\n", "log: {} # ü\r\nmanagement-key:   NEW\r\n"),
        ("log:\n  level: info", "log:\n  level: info\nmanagement-key: NEW\n"),
        ("# nothing\n", "# nothing\nmanagement-key: NEW\n"),
        ("", "management-key: NEW\n"),
        ('\'management-key\': "a\\"b"\n', "'management-key': NEW\n"),
        ("broken-key: 1\nmanagement-key: old", "broken-key: 1\nmanagement-key: NEW"),
    ],
)
def test_a_new_key_changes_nothing_else(text: str, changed: str) -> None:
    assert rekey(text, KEY) == changed.replace("NEW", KEY.reveal())


@pytest.mark.parametrize(
    "text",
    [
        "{log: {}}",
        "- a\n",
        "management-key: |\n  old\n",
        "management-key: {a: b}\n",
        "management-key:\n",
        "log: {}\n...\n",
        "management-key: a\nmanagement-key: b\n",
        "log: {}  # a\u2028 b\nmanagement-key: old\n",
    ],
)
def test_where_there_is_no_place_for_a_key_that_is_said(text: str) -> None:
    with pytest.raises((CannotRekey, Broken)):
        rekey(text, KEY)


class TestOnDisk:
    def test_only_the_owner_may_read_it(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "isthmus.yaml"
        begin(file, KEY)
        assert stat.S_IMODE(file.stat().st_mode) == MODE == 0o600
        assert load(file, Environment({})).config.management_key == KEY

    def test_an_existing_file_is_left_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "isthmus.yaml"
        file.write_text("log: {}")
        with pytest.raises(FileExistsError):
            begin(file, KEY)
        assert file.read_text() == "log: {}"

    def test_a_changed_file_is_readable_by_its_owner_only(self, tmp_path: Path) -> None:
        file = tmp_path / "isthmus.yaml"
        file.write_text("management-key: old\n")
        file.chmod(0o644)
        change_key(file, KEY)
        assert file.read_text() == f"management-key: {KEY.reveal()}\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [entry.name for entry in tmp_path.iterdir()] == ["isthmus.yaml"]

    def test_what_a_link_points_to_is_changed_and_the_link_stays(self, tmp_path: Path) -> None:
        (tmp_path / "real.yaml").write_text("management-key: old\n")
        link = tmp_path / "isthmus.yaml"
        link.symlink_to("real.yaml")
        change_key(link, KEY)
        assert link.is_symlink()
        assert KEY.reveal() in (tmp_path / "real.yaml").read_text()

    def test_a_file_that_cannot_be_read_is_a_problem(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigProblems, match="No such file"):
            change_key(tmp_path / "none.yaml", KEY)


def test_no_two_keys_are_alike_and_each_stands_in_yaml_as_it_is() -> None:
    keys = {new_key().reveal() for _ in range(200)}
    assert len(keys) == 200
    assert all(config_of(write_template(Secret(key))).management_key == Secret(key) for key in keys)
