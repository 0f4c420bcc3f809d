"""`isthmus accounts` beside a gateway that runs on the same store: each notices what the other one did."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from isthmus.wire import json
from support.codex import ADA, BEN, CodexPlace, open_codex_place

pytestmark = pytest.mark.timeout(240)  # many commands, each of which may have a sliver of a busy machine
PATIENCE = 30.0
"""Seconds within which a busy machine does what takes a second."""
ASKED = {"model": "gpt-5.2", "messages": [{"role": "user", "content": "Hello"}]}


class Machine:
    """A gateway, and a shell beside it."""

    def __init__(self, place: CodexPlace, folder: Path) -> None:
        self.place = place
        self._folder = folder
        place.backend.play("gpt-5.2", place.backend.script("says-hello"))

    def run(self, *words: str, typed: str = "", code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "isthmus", "accounts", *words],
            cwd=self._folder, env={"HOME": str(self._folder)}, input=typed,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def told(self, *words: str) -> list[Any]:
        found: list[Any] = json.decode(self.run(*words, "--json").encode())["accounts"]
        return found

    def sign_in(self, person: Any) -> None:
        token = str(self.place.issuer.sign_in(person)["refresh_token"])
        self.run("add", "codex", "--yes", "--refresh-token", "-", typed=token)

    def ask(self) -> tuple[int, Any]:
        return self.place.ask("/v1/chat/completions", ASKED)

    def asks_under(self, account: str) -> bool:
        """Is the next request sent under this account?"""
        status, _ = self.ask()
        return status == 200 and self.place.backend.who[-1] == account


def soon(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with open_codex_place(tmp_path, people=()) as place:
        yield Machine(place, tmp_path)


def test_a_running_gateway_notices_who_signs_in_and_who_goes(machine: Machine) -> None:
    status, refused = machine.ask()
    assert (status, refused["error"]["message"]) == (401, "No active account with valid credentials")
    machine.sign_in(ADA)
    assert soon(lambda: machine.asks_under("acc-ada"))
    machine.sign_in(BEN)
    machine.run("switch", "ben@example.com")
    assert soon(lambda: machine.asks_under("acc-ben"))
    machine.run("disable", "ben@example.com")
    assert soon(lambda: machine.asks_under("acc-ada"))
    machine.run("clear", "--yes")
    assert soon(lambda: machine.ask()[0] == 401)


def test_what_the_gateway_signed_in_to_is_listed_and_asked(machine: Machine) -> None:
    machine.place.sign_in(ADA)
    [one] = machine.told("list")
    assert (one["name"], one["plan"], one["active"]) == ("ada@example.com", "plus", True)
    assert "5 hours  12%   88%" in machine.run("quota")
    assert "gpt-5.3-codex" in machine.run("models", "ada@example.com")
    assert machine.run("verify").splitlines()[1].split() == ["ada@example.com", "codex", "good"]


def test_an_account_that_was_revoked_is_told_until_somebody_signs_in_again(machine: Machine) -> None:
    machine.sign_in(ADA)
    assert soon(lambda: machine.asks_under("acc-ada"))
    machine.place.issuer.revoke(ADA)
    machine.run("verify", code=1)
    [one] = machine.told("list")
    assert (one["state"], one["why"] != "") == ("revoked", True)
    assert soon(lambda: machine.ask()[0] == 401)
    machine.run("enable", "ada@example.com", code=1)
    machine.sign_in(ADA)
    assert soon(lambda: machine.asks_under("acc-ada"))


def test_accounts_that_were_moved_are_asked_under(machine: Machine, tmp_path: Path) -> None:
    machine.sign_in(ADA)
    words = ("--passphrase-file", "-")
    machine.run("export", "moved", *words, typed="correct horse battery\n")
    machine.run("clear", "--yes")
    assert soon(lambda: machine.ask()[0] == 401)
    machine.run("restore", "moved", *words, typed="another passphrase\n", code=1)
    assert machine.told("list") == []
    machine.run("restore", "moved", *words, typed="correct horse battery\n")
    assert soon(lambda: machine.asks_under("acc-ada"))
