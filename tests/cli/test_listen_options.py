"""What the command line says of listening, in our words and in those of the systems before this one."""

from collections.abc import Iterator

import pytest

from isthmus.config.load import Loaded
from support.shell import Shell


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Loaded]]:
    """What would have been served."""
    found: list[Loaded] = []

    def run(loaded: Loaded, **_: object) -> int:
        found.append(loaded)
        return 0

    monkeypatch.setattr("isthmus.app.run", run)
    return found


@pytest.mark.parametrize(
    ("arguments", "listeners"),
    [
        (["serve"], [("127.0.0.1", 8317, "unified")]),
        ([], [("127.0.0.1", 8317, "unified")]),
        (["serve", "-p", "9000"], [("127.0.0.1", 9000, "unified")]),
        (["serve", "--host", "127.0.0.2", "--port", "9000"], [("127.0.0.2", 9000, "unified")]),
        (["serve", "--compat", "codex"], [("127.0.0.1", 8081, "codex")]),
        (["serve", "--compat", "truck", "--port", "0"], [("127.0.0.1", 0, "truck")]),
        (["--serve", "8000"], [("127.0.0.1", 8000, "llms")]),
    ],
)
def test_it_listens_where_it_is_told_to(
    shell: Shell, served: list[Loaded], arguments: list[str], listeners: list[tuple[str, int, str]]
) -> None:
    done = shell.run(*arguments)
    assert done.exit_code == 0, done.output
    assert [(one.host, one.port, one.compat.value) for one in served[0].config.listeners] == listeners


def test_it_listens_on_all_ports_at_once(shell: Shell, served: list[Loaded]) -> None:
    shell.run("serve", "--all-ports")
    assert [one.port for one in served[0].config.listeners] == [8317, 8080, 8000, 8081]


def test_a_single_hyphen_names_the_file_too(shell: Shell, served: list[Loaded]) -> None:
    shell.write("listeners: [{port: 9009}]", "mine.yaml")
    for arguments in (["-config", "mine.yaml"], ["--config", "mine.yaml"], ["serve", "--config", "mine.yaml"]):
        assert shell.run(*arguments).exit_code == 0
        assert served[-1].config.listeners[0].port == 9009


def test_serve_with_a_port_takes_no_further_command(shell: Shell) -> None:
    assert shell.run("--serve", "8000", "check").exit_code == 2
