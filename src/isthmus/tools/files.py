"""Files of other programs: read whole, and replaced in one step. Knows nothing of what they say."""

import os
import secrets
from pathlib import Path

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value

MOST = 1024 * 1024
"""Bytes of a file that are read."""
MODE = 0o600
FOLDER_MODE = 0o700


class Found(Value, frozen=True):
    """A file as it was read: what its name leads to, behind all links. None for what is not there."""

    path: Path
    content: bytes | None
    mode: int | None


def find(path: Path) -> Found:
    """The file, if it is there. Raises INVALID for one that cannot be read, or is longer than 1 MiB."""
    target = path.resolve()
    try:
        with target.open("rb") as file:
            content = file.read(MOST + 1)
            mode = os.fstat(file.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        return Found(target, None, None)
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror}") from error
    if len(content) > MOST:
        raise refused(path, "is longer than 1 MiB")
    return Found(target, content, mode)


def replace(found: Found, content: bytes | None, mode: int = MODE) -> None:
    """Put `content` in place of what was found, in one step; None takes the file away.

    Raises INVALID where the file is another by now, or cannot be written.
    """
    check_same(found)
    try:
        if content is None:
            found.path.unlink(missing_ok=True)
        else:
            write(found.path, content, mode)
    except OSError as error:
        raise refused(found.path, f"cannot be written: {error.strerror}", status=500) from error


def check_same(found: Found) -> None:
    """Raises INVALID where the file is another by now."""
    if find(found.path).content != found.content:
        raise refused(found.path, "was changed by another program at this moment, and is left as it is; try again")


def write(path: Path, content: bytes, mode: int = MODE) -> None:
    """Write a file that is never seen half written. Raises OSError."""
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def refused(path: Path, why: str, *, status: int | None = None) -> GatewayError:
    return GatewayError(Kind.INVALID, f"{path.name} {why}", status=status)
