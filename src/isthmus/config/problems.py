"""What is wrong with a configuration, and where.

A problem never quotes a value, only names: a key pasted into the wrong place must not reach a terminal or a log.
"""

import difflib
from collections.abc import Iterable
from typing import TypeAlias

from isthmus.core.value import Value

Path: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value, from the top of the file."""

SHOWN = 60
"""Characters of a name that a problem quotes at most."""
CLOSE = 0.6
"""How alike two names are before one is offered for the other, from 0 to 1."""


class Problem(Value, frozen=True, order=True):
    """One thing to mend. `line` and `column` count from 1; `key` is the path as people write it, "" for the file."""

    line: int
    column: int
    key: str
    message: str


class ConfigProblems(Exception):
    """All that is wrong with one configuration, in the order of its lines. `file` is how it was named."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """One line for each problem, in the form that editors jump to."""
        return [
            f"{self.file}:{found.line}:{found.column}: {found.key + ': ' if found.key else ''}{found.message}"
            for found in self.problems
        ]


def write_path(path: Path) -> str:
    """`("providers", "openai", "models", 0)` as `providers.openai.models[0]`."""
    words = ""
    for step in path:
        words += f"[{step}]" if isinstance(step, int) else f".{clip(step)}" if words else clip(step)
    return words


def clip(name: str) -> str:
    """The name as it can stand in a line: printable and not too long."""
    plain = "".join(char if char.isprintable() else "?" for char in name)
    return plain if len(plain) <= SHOWN else plain[: SHOWN - 1] + "…"


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The closest known name, which may have been meant; None where none is close."""
    return next(iter(difflib.get_close_matches(name[:SHOWN], list(known), 1, CLOSE)), None)


def nearest(name: str, known: Iterable[str]) -> str:
    """ "; did you mean 'x'?" for the closest known name, else the known names when they are few, else nothing."""
    names = list(known)
    if (meant := misspelt(name, names)) is not None:
        return f"; did you mean '{meant}'?"
    return f"; it is one of {', '.join(names)}" if 0 < len(names) <= 16 else ""
