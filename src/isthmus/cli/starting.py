"""Starting another program in this one's place: its exit code, its signals and its terminal are its own.

A program that needs a file for as long as it runs is started beside this one, which waits, hands signals on and takes
the file away; every other takes this one's place altogether.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from isthmus.tools.tool import FILE, Start

_HANDED_ON = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
"""Signals for one process. Those that a terminal sends go to all that it holds, and reach the program by themselves."""
_LEFT_TO_IT = ("SIGINT", "SIGQUIT")


def start_in_place(program: str, start: Start, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Start `program` with what it needs, and end as it does."""
    sys.stdout.flush()
    sys.stderr.flush()
    if start.file is None and sys.platform != "win32":
        os.execve(program, [program, *start.arguments, *arguments], dict(environment))  # noqa: S606  what was asked for
    with _file(start) as path:
        words = [path if word == FILE else word for word in (*start.arguments, *arguments)]
        variables = {name: path if value == FILE else value for name, value in environment.items()}
        code = _beside([program, *words], variables)
    _end(code)


@contextmanager
def _file(start: Start) -> Iterator[str]:
    """The path of the file that the program reads, in a folder of its own for its owner alone; gone afterwards.

    Gemini CLI reads none from a folder that others may write to.
    """
    with tempfile.TemporaryDirectory(prefix="isthmus-", ignore_cleanup_errors=True) as folder:
        path = Path(folder, f"settings{start.ending}")
        path.touch(mode=0o600)
        path.write_text(start.file or "", encoding="utf-8")
        yield str(path)


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
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        code = 128 - code
    raise SystemExit(code)
