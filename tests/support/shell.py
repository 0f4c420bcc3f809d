"""The command line as one person's shell sees it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from isthmus.cli.main import main


class Shell:
    """A folder to work in, and an environment in which nothing is set."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        for name in os.environ:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.chdir(folder)

    def write(self, text: str, name: str = "isthmus.yaml") -> str:
        (self.folder / name).write_text(text)
        return name

    def run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=dict(variables or {}))
