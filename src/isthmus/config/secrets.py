"""The only door to the environment, and the `${VAR}` in a text that is filled from it."""

import os
import re
from collections.abc import Collection, Mapping

from isthmus.core.secret import Secret
from isthmus.core.value import Value


class Environment:
    """The variables of one process, as they were when it was taken. Prints none of them."""

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)

    def get(self, name: str) -> str | None:
        """What the variable holds; None when it is not set, or holds nothing."""
        return self._variables.get(name) or None

    def secret(self, *names: str) -> Secret | None:
        """The first of the variables that holds something. White space around it is not meant."""
        for name in names:
            if value := (self.get(name) or "").strip():
                return Secret(value)
        return None

    def handed_on(self, variables: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
        """All variables for a program that is started: with `variables`, and without the others that are named."""
        return {**{name: said for name, said in self._variables.items() if name not in without}, **variables}

    def __repr__(self) -> str:
        return f"Environment({len(self._variables)} variables)"


def of_this_process() -> Environment:
    return Environment(os.environ)  # noqa: TID251  the door itself


_MARK = re.compile(
    r"(?P<escape>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}|(?P<broken>\$\{)", re.ASCII
)


class Filled(Value, frozen=True):
    """A text with its variables filled in. `missing` are those that are not set and have no default."""

    text: str
    changed: bool = False
    missing: tuple[str, ...] = ()
    broken: bool = False


def fill(text: str, environment: Environment) -> Filled:
    """`${VAR}` and `${VAR:-default}` replaced; `$${` stands for `${`. What comes out is not looked at again.

    `broken` tells of a `${` that opens no variable.
    """
    if "${" not in text:
        return Filled(text)
    missing: list[str] = []
    broken = False

    def replace(mark: re.Match[str]) -> str:
        nonlocal broken
        if mark["escape"]:
            return "${"
        if mark["broken"]:
            broken = True
            return ""
        value = environment.get(mark["name"]) or mark["default"]
        if value is None:
            missing.append(mark["name"])
        return value or ""

    return Filled(_MARK.sub(replace, text), True, tuple(missing), broken)
