"""What is to be kept running, and what all service managers have in common: a file that is marked as ours, and words.

Refuses to change or remove a file without the mark. Never asks for more rights than the user has.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from isthmus.core.value import Value

MARK = "Written by isthmus service install; isthmus service uninstall removes it."
PATIENCE = 120.0
"""Seconds that a service manager has to do what it is told: a gateway that stops lets requests finish."""

FILES = 65_536
"""Connections and files that it may have open."""


class NoManager(Exception):
    """There is none on this machine, or none that answers. The message says what to do."""


class Refused(Exception):
    """It cannot be done. The message says why, and what to do."""


class Service(Value, frozen=True, kw_only=True):
    """What is kept running. `command` runs it in the foreground, its first word a whole path.

    `variables` are those it is started with; further ones stand in `environment_file`, which need not exist. It has
    `stop_within` seconds to end.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str]
    environment_file: Path
    home: Path
    stop_within: int


class State(Value, frozen=True):
    """How a service is. `told` are the manager's own words for it."""

    installed: bool
    running: bool
    told: str = ""
    pid: int | None = None


class Done(Value, frozen=True):
    """What a program that was run said."""

    code: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """In one line."""
        return " ".join((self.err or self.out).split()) or f"it ended with {self.code} and did not say why"


class Manager(Protocol):
    """What keeps services on this machine. All but `text` raises NoManager and Refused."""

    name: str
    path: Path

    def text(self, service: Service) -> str:
        """The file that describes the service."""
        ...

    def install(self, service: Service) -> bool:
        """Have it started at every login. False where it was described like this before."""
        ...

    def start(self, *, again: bool = False) -> None:
        """`again`: also where it runs, so that it runs as it is described now."""
        ...

    def stop(self) -> None:
        """Until it is started, or somebody logs in again."""
        ...

    def uninstall(self) -> bool:
        """Stop and forget it. False where it was not installed."""
        ...

    def state(self) -> State: ...

    def logs(self, lines: int, *, follow: bool) -> Sequence[str]:
        """The command that shows them."""
        ...

    def hints(self) -> Sequence[str]:
        """What its user should know of how long it runs."""
        ...


def run(program: str, *words: str) -> Done:
    """Run a program to its end. Raises NoManager where it is not there, Refused where it takes too long."""
    path = shutil.which(program)
    if path is None:
        raise NoManager(f"{program} is not on this machine")
    try:
        done = subprocess.run(  # noqa: S603  no shell, and words of ours
            [path, *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{program} {words[-1]} took longer than {PATIENCE:.0f} s") from error
    except OSError as error:
        raise NoManager(f"{program} cannot be run: {error.strerror}") from error
    return Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def is_ours(path: Path) -> bool:
    """Is there a file that an install wrote? Raises Refused for one that it did not."""
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if MARK not in text:
        raise Refused(f"{path} was not written by isthmus service install, and is left as it is; move it away first")
    return True


def must_be_there(path: Path) -> None:
    """Raises Refused where nothing was installed."""
    if not is_ours(path):
        raise Refused("the service is not installed; install it with: isthmus service install")


def put(path: Path, text: str) -> bool:
    """Write the file in one step. False where it holds the same already. Raises Refused."""
    if is_ours(path) and path.read_text() == text:
        return False
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    return True


def take_away(path: Path) -> None:
    """Remove what an install wrote. Raises Refused."""
    try:
        if is_ours(path):
            path.unlink()
    except OSError as error:
        raise Refused(f"{path} cannot be removed: {error.strerror}") from error
