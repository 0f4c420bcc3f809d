"""An agent of launchd: its property list, and `launchctl`.

Source: launchd.plist(5), launchctl(1). Since launchd reads no file of variables, a shell does, and then becomes the
gateway.
"""

import plistlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

from isthmus.tools.service.manager import (
    FILES,
    MARK,
    Done,
    NoManager,
    Refused,
    Service,
    State,
    is_ours,
    must_be_there,
    put,
    run,
    take_away,
)

LABEL = "isthmus.gateway"
_START = 'set -a; if [ -r "$1" ]; then . "$1"; fi; set +a; shift; exec "$@"'
_UNDER_WAY = 36
"""What `bootout` ends with where the service takes its time to end."""
_STILL_THERE = (5, 37)
"""What `bootstrap` ends with while the service that was there before is still ending."""
_NO_SCREEN = (112, 125)
"""What it ends with where nobody is logged in at the screen."""
_OWN_LINE = re.compile(r"^\t(\w+) = (.*)$", re.MULTILINE)
"""A line of what `print` says of the service itself: those of its parts are indented further."""
TRIES = 240
"""How often it is looked whether a service has ended, whose requests may finish."""
PAUSE = 0.5
"""Seconds between two of them."""


class Launchd:
    """`home` is the user's folder, `user` the user's number."""

    name = "launchd"

    def __init__(self, home: Path, user: int) -> None:
        self.path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._log = home / "Library" / "Logs" / "isthmus.log"
        self._domain = f"gui/{user}"
        self._target = f"gui/{user}/{LABEL}"

    def text(self, service: Service) -> str:
        listed = {
            "Label": LABEL,
            "ProgramArguments": ["/bin/sh", "-c", _START, "isthmus", str(service.environment_file), *service.command],
            "EnvironmentVariables": {"HOME": str(service.home), **service.variables},
            "WorkingDirectory": str(service.home),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ExitTimeOut": service.stop_within,
            "Umask": 0o077,
            "SoftResourceLimits": {"NumberOfFiles": FILES},
            "StandardOutPath": str(self._log),
            "StandardErrorPath": str(self._log),
        }
        first, rest = plistlib.dumps(listed, sort_keys=False).decode().split("\n", 1)
        return f"{first}\n<!-- {MARK} -->\n{rest}"

    def install(self, service: Service) -> bool:
        run("launchctl", "version")
        changed = put(self.path, self.text(service))
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refused(f"{self._log.parent} cannot be made: {error.strerror}") from error
        self._good("enable", self._target)
        return changed

    def start(self, *, again: bool = False) -> None:
        must_be_there(self.path)
        if again:
            self._end()
        if not self._is_known():
            self._begin()
        elif not self.state().running:
            self._good("kickstart", self._target)

    def stop(self) -> None:
        must_be_there(self.path)
        self._end()

    def uninstall(self) -> bool:
        if not is_ours(self.path):
            return False
        self._end()
        take_away(self.path)
        return True

    def state(self) -> State:
        if not is_ours(self.path):
            return State(installed=False, running=False)
        done = run("launchctl", "print", self._target)
        if done.code != 0:
            return State(installed=True, running=False, told="stopped")
        told = dict(_OWN_LINE.findall(done.out))
        words, pid = told.get("state", "unknown"), told.get("pid", "")
        return State(True, words == "running", words, int(pid) if pid.isdecimal() else None)

    def logs(self, lines: int, *, follow: bool) -> Sequence[str]:
        must_be_there(self.path)
        if not self._log.exists():
            raise Refused(f"nothing was written to {self._log} yet")
        return ("tail", "-n", str(lines), *(("-F",) if follow else ()), str(self._log))

    def hints(self) -> Sequence[str]:
        return ("it starts when you log in and ends when you log out",)

    def _begin(self) -> None:
        """What was told to end a moment ago may still be ending."""
        for tries_left in reversed(range(TRIES)):
            done = run("launchctl", "bootstrap", self._domain, str(self.path))
            if done.code == 0:
                return
            if done.code not in _STILL_THERE or not tries_left:
                self._refuse("bootstrap", done)
            time.sleep(PAUSE)

    def _end(self) -> None:
        """Until it has ended."""
        if not self._is_known():
            return
        done = run("launchctl", "bootout", self._target)
        if done.code not in (0, _UNDER_WAY):
            self._refuse("bootout", done)
        for _ in range(TRIES):
            if not self._is_known():
                return
            time.sleep(PAUSE)
        raise Refused(f"{self._target} was told to end, and has not yet")

    def _is_known(self) -> bool:
        return run("launchctl", "print", self._target).code == 0

    def _good(self, *words: str) -> None:
        done = run("launchctl", *words)
        if done.code != 0:
            self._refuse(words[0], done)

    def _refuse(self, word: str, done: Done) -> None:
        if done.code in _NO_SCREEN:
            raise NoManager(f"nobody is logged in at this machine's screen, so that no agent can run: {done.why}")
        raise Refused(f"launchctl {word}: {done.why}")
