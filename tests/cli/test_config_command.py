"""`isthmus config`: another system's file becomes ours, with a report; secrets are never printed."""

import json
import stat
from pathlib import Path

import pytest

from support.importing import FILES, VARIABLES, text_of
from support.shell import Shell


@pytest.mark.parametrize("file", FILES)
def test_an_imported_file_has_no_problems(shell: Shell, file: str) -> None:
    shell.write(text_of(file), file)
    done = shell.run("config", "import", file, "--to", "ours.yaml", variables=VARIABLES)
    assert (done.exit_code, "still to mend" in done.output) == (0, False), done.output
    checked = shell.run("check", "ours.yaml", variables=VARIABLES)
    assert "no problems" in checked.output, checked.output


@pytest.mark.parametrize("file", FILES)
def test_the_written_file_is_the_owners_alone_and_the_report_holds_no_secret(shell: Shell, file: str) -> None:
    shell.write(text_of(file), file)
    done = shell.run("config", "import", file, variables=VARIABLES)
    written = shell.folder / "isthmus.yaml"
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    shown = shell.run("config", "show", variables=VARIABLES)
    for secret in ("anthropic-key-one", "mux-client-key-one", "truck-openai-spare", "litellm-team-key", "older-"):
        assert secret not in done.output
        assert secret not in shown.output


def test_an_import_tells_what_has_no_equal_and_what_differs(shell: Shell) -> None:
    shell.write(text_of("llm_mux.yaml"), "config.yaml")
    done = shell.run("config", "import", "config.yaml")
    assert "quota-window: how long a key rests" in done.output.partition("left out")[2]
    assert "request-retry: counts the tries" in done.output.partition("left out")[0]


def test_an_import_can_be_told_as_json(shell: Shell) -> None:
    shell.write(text_of("settings.json"), "settings.json")
    told = json.loads(shell.run("config", "import", "settings.json", "--json").stdout)
    assert told["system"] == "codex-claude-proxy"
    assert told["remarks"] == []
    assert told["problems"] == []


def test_variables_that_are_not_set_are_told_and_do_not_keep_from_writing(shell: Shell) -> None:
    shell.write(text_of("truckllm.yaml"), "config.yaml")
    done = shell.run("config", "import", "config.yaml")
    assert done.exit_code == 0
    assert "the variable TRUCK_ADMIN_KEY is not set" in done.output
    assert (shell.folder / "isthmus.yaml").is_file()


def test_a_file_that_is_there_is_left_alone(shell: Shell) -> None:
    shell.write("mine: true")
    shell.write(text_of("settings.json"), "settings.json")
    done = shell.run("config", "import", "settings.json")
    assert (done.exit_code, "was left alone" in done.output) == (1, True)
    assert (shell.folder / "isthmus.yaml").read_text() == "mine: true"


def test_what_is_wrong_with_the_other_file_is_told_with_its_line(shell: Shell) -> None:
    shell.write("api-keys: [a]\nproviders: 3\n", "config.yaml")
    done = shell.run("config", "import", "config.yaml")
    assert (done.exit_code, "config.yaml:2:1: providers: must be a list" in done.output) == (1, True)
    assert not (shell.folder / "isthmus.yaml").exists()


def test_a_file_of_nobody_known_is_refused_and_may_be_named(shell: Shell) -> None:
    shell.write("{}", "settings.json")
    assert "--from says whose it is" in shell.run("config", "import", "settings.json").output
    assert shell.run("config", "import", "settings.json", "--from", "codex").exit_code == 0


def test_the_file_of_another_system_is_used_as_it_is(shell: Shell) -> None:
    shell.write(text_of("settings.json"), "settings.json")
    assert "no problems; 2 providers configured" in shell.run("check", "settings.json").output


def test_path_tells_which_file_is_used(shell: Shell) -> None:
    assert "there is no file" in shell.run("config", "path").output
    shell.write("")
    assert Path(shell.run("config", "path").output.strip()) == Path("isthmus.yaml")
