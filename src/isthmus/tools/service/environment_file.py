"""The file of variables that a service is started with: lines NAME=VALUE, as both systemd and a shell read them."""

import re
from collections.abc import Mapping
from pathlib import Path

from isthmus.tools.service.manager import Refused

MOST = 1024 * 1024
"""Bytes that are read."""
_LINE = re.compile(r"""^[ \t]*([A-Za-z_]\w*)=(?:"([^"\n]*)"|'([^'\n]*)'|([^\n]*?))[ \t]*$""", re.ASCII | re.MULTILINE)


def variables_in(path: Path) -> Mapping[str, str]:
    """What it sets; nothing where there is no such file. Raises Refused for one that cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST).decode(errors="replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    return {name: double or single or plain for name, double, single, plain in _LINE.findall(text)}


def is_open(path: Path) -> bool:
    """Can others on this machine read it?"""
    try:
        return bool(path.stat().st_mode & 0o077)
    except OSError:
        return False
