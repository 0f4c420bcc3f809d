"""What the commands write, and how they end."""

import stat

import pytest

from isthmus import __version__
from isthmus.cli.main import COMMANDS
from isthmus.config.load import load
from isthmus.config.secrets import Environment
from isthmus.wire import json
from support.shell import Shell

BAD = "limits:\n  atempts: 3\nproviders:\n  opnai:\n"
GOOD = "providers: {vllm: {models: [tiny]}}\nroutes: {r: [vllm/big, local/x]}\naliases: {a: r}\n"
OPNAI = (
    "isthmus.yaml:4:3: providers.opnai: is not the name of a known host, and there is no type; did you mean 'openai'?"
)


class TestInit:
    @pytest.mark.parametrize("arguments", [("init",), ("--init",)])
    def test_writes_a_valid_file_that_only_its_owner_reads(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        result = shell.run(*arguments)
        file = shell.folder / "isthmus.yaml"
        key = load(file, Environment({})).config.management_key
        assert key is not None
        assert (result.exit_code, result.stdout) == (0, f"Management key: {key.reveal()}\n")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    @pytest.mark.parametrize("arguments", [("init",), ("--init",)])
    def test_leaves_an_existing_file_alone(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        shell.write("log: {}")
        result = shell.run(*arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert (
            result.stderr == "isthmus.yaml exists and was left alone; --force would put a new management key into it\n"
        )
        assert (shell.folder / "isthmus.yaml").read_text() == "log: {}"

    @pytest.mark.parametrize("arguments", [("init", "--force"), ("--init", "--force")])
    def test_force_changes_the_key_and_nothing_else(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        first = shell.run("init").stdout.split()[-1]
        before = (shell.folder / "isthmus.yaml").read_text()
        second = shell.run(*arguments).stdout.split()[-1]
        assert first != second
        assert (shell.folder / "isthmus.yaml").read_text() == before.replace(first, second)

    def test_force_begins_where_there_is_no_file(self, shell: Shell) -> None:
        assert shell.run("init", "--force").exit_code == 0
        assert shell.run("check").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "variables"),
        [
            (("init", "--path", "a/b.yaml"), {}),
            (("init", "--config", "a/b.yaml"), {}),
            (("--config", "a/b.yaml", "--init"), {}),
            (("--config", "a/b.yaml", "init"), {}),
            (("init",), {"ISTHMUS_CONFIG": "a/b.yaml"}),
        ],
    )
    def test_writes_where_it_is_told(self, shell: Shell, arguments: tuple[str, ...], variables: dict[str, str]) -> None:
        assert shell.run(*arguments, variables=variables).exit_code == 0
        assert (shell.folder / "a" / "b.yaml").is_file()

    def test_does_not_touch_a_broken_file(self, shell: Shell) -> None:
        shell.write("log: [")
        result = shell.run("init", "--force")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "isthmus.yaml:2:1: not valid YAML" in result.stderr

    def test_says_where_a_key_finds_no_place(self, shell: Shell) -> None:
        shell.write("{log: {}}")
        assert shell.run("init", "--force").stderr == (
            "isthmus.yaml: the file is not a block of keys; set management-key by hand\n"
        )

    def test_says_what_cannot_be_written(self, shell: Shell) -> None:
        shell.write("", "folder")
        result = shell.run("init", "--path", "folder/isthmus.yaml")
        assert (result.exit_code, result.stderr) == (1, "folder/isthmus.yaml cannot be written: File exists\n")


class TestCheck:
    def test_a_good_file_is_called_good(self, shell: Shell) -> None:
        result = shell.run("check", shell.write(GOOD))
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == "isthmus.yaml: no problems; 1 provider configured, 1 route, 1 alias\n"

    def test_keys_and_limits_are_counted_where_there_are_any(self, shell: Shell) -> None:
        keys = "[{key: sk-0123456789, concurrency: 2, requests-per-day: 9}, sk-9876543210]"
        result = shell.run("check", shell.write(f"providers: {{openai: {{concurrency: 3, api-keys: {keys}}}}}"))
        words = "1 provider configured, 2 keys, 0 routes, 0 aliases, 3 limits"
        assert result.stdout == f"isthmus.yaml: no problems; {words}\n"

    def test_a_bad_file_is_told_line_by_line(self, shell: Shell) -> None:
        result = shell.run("check", shell.write(BAD))
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "isthmus.yaml:2:3: limits.atempts: is not a key; did you mean 'attempts'?",
            OPNAI,
            "2 problems",
        ]

    def test_json_says_the_same(self, shell: Shell) -> None:
        result = shell.run("check", "--json", shell.write(BAD))
        said = json.decode(result.stdout.encode())
        assert (result.exit_code, said["file"]) == (1, "isthmus.yaml")
        assert [(problem["line"], problem["column"], problem["key"]) for problem in said["problems"]] == [
            (2, 3, "limits.atempts"),
            (4, 3, "providers.opnai"),
        ]
        assert json.decode(shell.run("check", "--json", shell.write(GOOD)).stdout.encode())["problems"] == []

    def test_without_a_file_the_environment_is_checked(self, shell: Shell) -> None:
        result = shell.run("check", variables={"OPENAI_API_KEY": "sk-0123456789"})
        assert (result.exit_code, "1 provider found in the environment" in result.stdout) == (0, True)

    def test_a_missing_file_is_a_problem(self, shell: Shell) -> None:
        result = shell.run("check", "none.yaml")
        assert (result.exit_code, result.stdout.splitlines()[0]) == (
            1,
            "none.yaml:1:1: cannot be read: No such file or directory",
        )


class TestServe:
    @pytest.mark.parametrize("arguments", [(), ("serve",), ("serve", "--port", "0")])
    def test_a_bad_file_is_refused(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        shell.write(BAD)
        result = shell.run(*arguments)
        assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "2 problems")

    @pytest.mark.parametrize(
        "arguments", [("--config", "b.yaml"), ("--config", "b.yaml", "serve"), ("serve", "--config", "b.yaml")]
    )
    def test_the_file_may_be_named_before_or_after(self, shell: Shell, arguments: tuple[str, ...]) -> None:
        shell.write(BAD, "b.yaml")
        assert "b.yaml:2:3" in shell.run(*arguments).stderr

    def test_an_open_listener_without_keys_is_refused(self, shell: Shell) -> None:
        result = shell.run("serve", "--host", "0.0.0.0")
        assert (result.exit_code, "no client-keys are set" in result.stderr) == (1, True)


class TestLocal:
    def test_status_tells_whether_the_model_is_here_and_used(self, shell: Shell) -> None:
        shell.write("providers: {vllm: {}}")
        result = shell.run("local", "status", "--json")
        assert json.decode(result.stdout.encode()) == {"installed": None, "used": False}
        shell.write("local: {enabled: true}\nproviders: {vllm: {}}")
        assert "The configuration uses it" in shell.run("local", "status").stdout


def test_the_version_is_told(shell: Shell) -> None:
    assert shell.run("--version").stdout == f"isthmus {__version__}\n"
    assert json.decode(shell.run("version", "--json").stdout.encode())["isthmus"] == __version__


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("serve", "--port", "high"), ("serve", "--port", "70000"), ("check", "a", "b"), ("--force",),
     ("--init", "check"), ("models", "--jason"), ("local", "nonsense")],
)  # fmt: skip
def test_wrong_usage_ends_with_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    assert shell.run(*arguments).exit_code == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(shell: Shell, name: str) -> None:
    result = shell.run(name, "--help")
    assert result.exit_code == 0
    assert name in shell.run("--help").stdout
