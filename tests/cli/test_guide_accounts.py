"""The guide to accounts is true: its commands run one after the other against an issuer, and it tells of every one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fakes.codex_backend import open_codex_backend
from fakes.strict_issuer import open_strict_issuer
from fakes.strict_words import Person
from isthmus.cli.commands.accounts import command
from isthmus.cli.commands.login import command as login
from isthmus.core.errors import RULES, Kind
from support.codex import configured
from support.configured import config_of

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "accounts.md").read_text()
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL))
BROWSER = """\
#!{python} -IS
import sys, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
"""
ANY_PORT = "      callback-ports: []\n      client-id:"


@pytest.mark.timeout(240)  # a command after the other, each of which may have a sliver of a busy machine
def test_its_commands_run_one_after_the_other(tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text(BROWSER.format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "passphrase.txt").write_text("correct horse battery\n")
    with open_strict_issuer(person=Person("me@example.com")) as issuer, open_codex_backend(issuer) as backend:
        config = configured(issuer, backend).replace("      client-id:", ANY_PORT)
        (tmp_path / "isthmus.yaml").write_text(config)
        done = subprocess.run(
            ["bash", "-e", "-c", COMMANDS],
            cwd=tmp_path,
            env={
                "HOME": str(tmp_path),
                "BROWSER": f"{program} %s",
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            },
            input="y\n",
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "signed in to ChatGPT as me@example.com (plus)" in done.stdout
    assert "me@example.com  5 hours  12%" in done.stdout
    assert done.stdout.rstrip().endswith("took in 1 account")


def test_its_examples_are_valid() -> None:
    for example in re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL):
        assert list(config_of(example, {}).providers) == ["codex"]


def test_it_tells_of_every_command() -> None:
    names = {name for name, one in command.commands.items() if not one.hidden}
    told = {
        name
        for line in re.findall(r"^\| (`[^|]+) \|", GUIDE, flags=re.MULTILINE)
        for name in re.findall(r"`([\w-]+)`", line)
    }
    assert names <= told


def test_it_tells_of_every_way_to_sign_in() -> None:
    options = {name for one in login.params if isinstance(one, click.Option) for name in one.opts}
    ways = options - {"--yes", "--json", "--config"}
    assert {name for name in ways if f"{name}" not in GUIDE} == set()


def test_it_quotes_what_clients_are_told() -> None:
    assert RULES[Kind.NO_ACCOUNT].status == 401
    assert "`No active account with valid credentials` (401)" in GUIDE
