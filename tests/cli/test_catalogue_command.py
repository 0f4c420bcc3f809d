"""`isthmus catalogue`: which one is in use, and how a newer one is had, with and without a network."""

from pathlib import Path

import pytest
from click.testing import Result

from fakes.litellm_wheel import write_wheel
from isthmus.config.catalogues import SHIPPED
from isthmus.wire import json
from support.shell import Shell


class Index:
    """A folder that stands for the package index, as pip's own settings name it."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.folder = shell.folder / "index"
        self.folder.mkdir()
        self.settings = {
            "XDG_DATA_HOME": str(shell.folder / "data"),
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_FIND_LINKS": str(self.folder),
        }

    def run(self, *arguments: str, **more: str) -> Result:
        return self.shell.run("catalogue", *arguments, variables={**self.settings, **more})

    def status(self) -> dict[str, object]:
        return dict(json.decode(self.run("status", "--json").stdout.encode()))


@pytest.fixture
def index(shell: Shell) -> Index:
    return Index(shell)


def kept(index: Index) -> Path:
    return index.shell.folder / "data" / "isthmus" / SHIPPED


def test_the_shipped_one_is_in_use_and_tells_its_licence(index: Index) -> None:
    said = index.run("status").stdout
    assert said.startswith("3")
    assert " models, from litellm 1." in said
    assert "MIT License" in said


def test_a_refresh_reads_the_newest_package_and_is_used_from_then_on(index: Index) -> None:
    write_wheel(index.folder, "9.1.1")
    write_wheel(index.folder, "9.1.2")
    result = index.run("refresh")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("1 models, from litellm 9.1.2 as of 20")
    assert (index.status()["version"], index.status()["models"]) == ("9.1.2", 1)


def test_one_version_can_be_asked_for(index: Index) -> None:
    write_wheel(index.folder, "9.1.1")
    write_wheel(index.folder, "9.1.2")
    assert "litellm 9.1.1" in index.run("refresh", "--package", "litellm==9.1.1").stdout


def test_what_was_refreshed_shows_in_the_models(index: Index) -> None:
    write_wheel(index.folder)
    index.run("refresh")
    index.shell.write("providers: {openai: {api-key: k-0123456789, models: [gpt-9]}}")
    said = index.shell.run("models", "gpt-9", variables=index.settings).stdout
    assert "input $9, output $18" in said
    assert "openai/gpt-9 in litellm 9.1.2" in said


def test_without_a_package_it_says_what_to_do_and_keeps_what_was(index: Index) -> None:
    result = index.run("refresh")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("The catalogue was not refreshed: ")
    assert "pip download --no-deps litellm" in result.stderr
    assert not kept(index).exists()


def test_an_index_that_cannot_be_reached_is_called_that(index: Index) -> None:
    unreachable = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}
    assert "the package index cannot be reached" in index.run("refresh", **unreachable).stderr


def test_a_wheel_from_elsewhere_does(index: Index, tmp_path: Path) -> None:
    result = index.run("refresh", "--from", str(write_wheel(tmp_path)))
    assert (result.exit_code, kept(index).exists()) == (0, True)


def test_another_packages_wheel_is_refused(index: Index, tmp_path: Path) -> None:
    result = index.run("refresh", "--from", str(write_wheel(tmp_path, models=None)))
    assert (result.exit_code, kept(index).exists()) == (1, False)
    assert "holds no list of models" in result.stderr


@pytest.mark.parametrize("package", ["", "--index-url=x", "-r", "../litellm", "a b", "litellm; rm", "http://x/y.whl"])
def test_what_is_no_package_is_not_given_to_pip(index: Index, package: str) -> None:
    assert "is no package" in index.run("refresh", f"--package={package}").stderr


def test_a_folder_that_cannot_be_written_is_told(index: Index, tmp_path: Path) -> None:
    (index.shell.folder / "data").write_text("a file")
    result = index.run("refresh", "--from", str(write_wheel(tmp_path)))
    assert result.stderr == "The catalogue could not be written: Not a directory\n"
