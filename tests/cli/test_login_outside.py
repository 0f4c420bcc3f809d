"""`isthmus login` as a person uses it: a real process in a real terminal, a browser, and an issuer at the wire."""

import os
import pty
import re
import select
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from fakes.strict_words import CLIENT
from isthmus.wire import json

BROWSER = """\
#!{python} -IS
import sys, urllib.request
page = urllib.request.urlopen(sys.argv[1]).read().decode()
open({file!r}, "w").write(page)
"""
pytestmark = pytest.mark.timeout(240)  # many commands, each of which may have a sliver of a busy machine
PATIENCE = 30.0
"""Seconds that a process has, on a busy machine."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it is sent and does not go there."""

    def redirect_request(self, *_: object) -> None:
        return None


class User:
    """Somebody in front of a terminal."""

    def __init__(self, folder: Path, issuer: StrictIssuer) -> None:
        self.folder = folder
        self.issuer = issuer
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        known = f"client-id: {CLIENT}, authorize-url: {issuer.authorize_url}, token-url: {issuer.token_url}"
        (folder / "isthmus.yaml").write_text(
            f"accounts: {{issuers: {{codex: {{{known}, callback-ports: [{self.port}]}}}}}}\n"
        )
        self.variables = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}

    def open_browser(self) -> Path:
        """From now on there is one. The page that it ends at is written to this file."""
        page, program = self.folder / "page.html", self.folder / "browser"
        program.write_text(BROWSER.format(python=sys.executable, file=str(page)))
        program.chmod(0o755)
        self.variables["BROWSER"] = f"{program} %s"
        return page

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "isthmus", *words],
            cwd=self.folder, env=self.variables, capture_output=True, text=True, input=typed, timeout=120, check=False,
        )  # fmt: skip

    def type_into_a_terminal(self, *words: str, typed: str = "") -> str:
        """Sign in by pasting `typed`, else what a browser would be sent to. All that the terminal shows."""
        ours, theirs = pty.openpty()
        command = [sys.executable, "-P", "-m", "isthmus", *words]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.variables, stdin=theirs, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            shown = _read_until(ours, r"shows no page\.")
            [url] = re.findall(r"http://127\.0\.0\.1:\d+/oauth/authorize\?\S+", shown)
            os.write(ours, f"{typed or _sent_to(url)}\n".encode())
            shown += _read_until(ours, r"(signed in to ChatGPT as|the sign-in failed: ).*\n")
            assert process.wait(PATIENCE) == (1 if typed else 0)
        os.close(ours)
        return shown


def _sent_to(url: str) -> str:
    try:
        urllib.request.build_opener(NoRedirect).open(url, timeout=10)
    except urllib.error.HTTPError as answer:
        answer.close()
        return str(answer.headers["location"])
    raise AssertionError("the issuer sent the browser nowhere")


def _read_until(terminal: int, wanted: str) -> str:
    shown, until = "", time.monotonic() + PATIENCE
    while not re.search(wanted, shown):
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"the terminal shows no more than: {shown}"
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError as end:  # the other side is closed
            raise AssertionError(f"the command ended with: {shown}") from end
    return shown


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    with open_strict_issuer() as issuer:
        yield User(tmp_path, issuer)


def test_a_browser_signs_in_and_is_told_so(user: User) -> None:
    page = user.open_browser()
    done = user.run("login", "codex", "--yes")
    assert (done.returncode, done.stdout) == (0, "signed in to ChatGPT as ada@example.com (plus)\n"), done.stderr
    assert "Signed in as ada@example.com" in page.read_text()


def test_what_is_pasted_into_a_terminal_signs_in(user: User) -> None:
    shown = user.type_into_a_terminal("login", "codex", "--yes", "--no-browser")
    assert "signed in to ChatGPT as ada@example.com (plus)" in shown


def test_a_code_that_is_typed_elsewhere_signs_in(user: User) -> None:
    user.issuer.device_interval = 1.0
    urls = f"token-url: {user.issuer.token_url}, device-url: {user.issuer.device_url}"
    (user.folder / "isthmus.yaml").write_text(
        f"accounts: {{issuers: {{ours: {{title: Ours, client-id: {CLIENT}, {urls}, flows: [device]}}}}}}\n"
    )
    command = [sys.executable, "-P", "-m", "isthmus", "login", "ours"]
    with subprocess.Popen(
        command, cwd=user.folder, env=user.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = next(line for line in process.stderr if "type this code: " in line)
        user.issuer.approve(told.rpartition(": ")[2].strip())
        assert process.stdout.read() == "signed in to Ours as ada@example.com\n"
        assert process.wait(PATIENCE) == 0


def test_no_token_is_shown_or_written_in_clear(user: User) -> None:
    user.open_browser()
    said = [user.run("login", "codex", "--yes")]
    said += [user.run("accounts", *words) for words in (("--json",), ("refresh",), ("list",))]
    assert [done.returncode for done in said] == [0] * 4, [done.stdout + done.stderr for done in said]
    family = user.issuer.families[-1]
    planted = [family.live, family.before, *family.accesses]
    shown = "".join(done.stdout + done.stderr for done in said)
    assert shown.count("neither made nor endorsed") == 1
    files = b"".join(file.read_bytes() for file in user.folder.rglob("*") if file.is_file())
    assert len(planted) >= 3
    assert [one for one in planted if one in shown or one.encode() in files] == []


def test_a_refresh_token_is_tried_and_kept(user: User) -> None:
    token = str(user.issuer.sign_in()["refresh_token"])
    done = user.run("login", "codex", "--yes", "--json", "--refresh-token", "-", typed=token)
    told = json.decode(done.stdout.encode())
    assert (told["name"], told["plan"], told["state"]) == ("ada@example.com", "plus", "ready")
    refused = user.run("login", "codex", "--yes", "--refresh-token", "-", typed=token)
    assert (refused.returncode, token in refused.stderr) == (1, False)


def test_signing_in_again_keeps_one_account(user: User) -> None:
    user.open_browser()
    for _ in range(2):
        assert user.run("login", "codex", "--yes").returncode == 0
    assert len(json.decode(user.run("accounts", "--json").stdout.encode())["accounts"]) == 1


def test_the_key_is_changed_and_everything_still_opens(user: User) -> None:
    user.open_browser()
    user.run("login", "codex", "--yes")
    key = user.folder / ".local" / "share" / "isthmus" / "accounts.key"
    before = key.read_text()
    done = user.run("accounts", "rotate-key")
    assert (done.returncode, done.stdout) == (0, "sealed 1 account anew\n"), done.stderr
    assert key.read_text() != before
    assert user.run("accounts", "refresh").returncode == 0


def test_models_of_an_account_are_there_where_no_file_names_providers(user: User) -> None:
    user.open_browser()
    assert "codex/" not in user.run("models").stdout
    assert "asks under it yet" not in user.run("login", "codex", "--yes").stderr
    assert "codex/*" in user.run("models").stdout
    told = user.run("route", "explain", "codex/gpt-5.2")
    assert (told.returncode, "ada@example.com" in told.stdout, "neither made" in told.stderr) == (0, True, False)


def test_a_file_without_a_provider_for_the_account_is_told(user: User) -> None:
    user.open_browser()
    file = user.folder / "isthmus.yaml"
    file.write_text(f"{file.read_text()}providers: {{vllm: {{}}}}\n")
    said = user.run("login", "codex", "--yes").stderr.splitlines()[-1]
    assert said == "no provider of isthmus.yaml asks under it yet; add below providers: codex: {}"


def test_a_code_that_the_issuer_does_not_take_ends_it_with_one_line(user: User) -> None:
    shown = user.type_into_a_terminal("login", "codex", "--yes", typed="no-code")
    assert shown.count("does not take the code") == 1
