"""How systems write a variable of the environment in a value, and how our file does."""

import re

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_DOLLAR = re.compile(rf"\$(?P<name>{_NAME})", re.ASCII)
_ENVIRON = re.compile(rf"os\.environ/(?P<name>{_NAME})", re.ASCII)


def as_it_stands(text: str) -> str:
    """For a system that fills in nothing."""
    return text.replace("${", "$${")


def in_braces(text: str) -> str:
    """For a system that writes `${NAME}` as we do."""
    return text


def after_a_dollar(text: str) -> str:
    """For a system in which a value may be `$NAME`."""
    found = _DOLLAR.fullmatch(text)
    return "${" + found["name"] + "}" if found else as_it_stands(text)


def in_os_environ(text: str) -> str:
    """For a system in which a value may be `os.environ/NAME`."""
    found = _ENVIRON.fullmatch(text)
    return "${" + found["name"] + "}" if found else as_it_stands(text)


def environ_name(text: str) -> str | None:
    """The variable that a value `os.environ/NAME` stands for."""
    found = _ENVIRON.fullmatch(text)
    return found["name"] if found else None
