"""Starting another program in this one's place: its exit code, its signals and its terminal are its own.

A program that needs files for as long as it runs is started beside this one, which waits, hands signals on and takes
them away; every other takes this one's place altogether.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from isthmus.tools.tool import FOLDER, Start

_HANDED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
"""Signals for one process. Those that a terminal sends go to all that it holds, and reach the program by themselves."""
_LEFT_TO_IT = ("SIGINT", "SIGQUIT")


def start_in_place(program: str, start: Start, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Start `program` with what it needs, and end as it does."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not start.files and sys.platform != "win32":
        os.execve(program, [program, *start.arguments, *arguments], dict(environment))  # noqa: S606  what was asked for
    with _folder(start.files) as folder:
        words = [word.replace(FOLDER, folder) for word in start.arguments]
        ours = {name: value.replace(FOLDER, folder) for name, value in start.variables.items()}
        code = _beside([program, *words, *arguments], {**environment, **ours})
    _end(code)


@contextmanager
def _folder(files: Mapping[str, str | Path]) -> Iterator[str]:
    """The path of a folder with the files, for its owner alone; gone afterwards, and what links lead to stays."""
    with tempfile.TemporaryDirectory(prefix="isthmus-run-", ignore_cleanup_errors=True) as folder:
        for name, held in files.items():
            path = Path(folder, name)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if isinstance(held, Path):
                path.symlink_to(held)
            else:
                path.touch(mode=0o600)
                path.write_text(held, encoding="utf-8")
        yield folder


def _beside(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run it to its end. Returns its exit code, or minus the signal that ended it."""
    waiting: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def hand_on(number: int, _: object) -> None:
        if process is None:
            waiting.append(number)
        else:
            process.send_signal(number)

    for name in _HANDED_ON:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), hand_on)
    for name in _LEFT_TO_IT:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    process = subprocess.Popen(list(words), env=dict(environment))  # noqa: S603  what was asked for
    for number in waiting:
        process.send_signal(number)
    return process.wait()


def _end(code: int) -> NoReturn:
    """End as the program ended: a shell is to see the same signal."""
    if code < 0:
        with suppress(OSError):  # there are two that no program may have another way with
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        code = 128 - code
    raise SystemExit(code)
