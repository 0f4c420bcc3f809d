"""A file that is appended to, and put aside when it is long: NAME.1 is the last one before it, NAME.2 the one before.

Several processes may append to the same file, as the workers of one gateway do. Whoever finds it full puts it aside,
under a lock on the file itself; the others see by its inode that the name belongs to another file now, and follow. So
a file that an outsider moves away, as logrotate does, is left as well. What fails leaves the file as it is: lines
matter more than their file's length.
"""

import fcntl
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from isthmus.core.value import Value


class Rotation(Value, frozen=True):
    """A file is put aside before it is longer than `size` bytes, None for never; so many files are kept beside it."""

    size: int | None = None
    backups: int = 0


KEEP_ALL = Rotation()


class RotatingFile:
    """Unbuffered: what could not be written must not come out later, cut off. For one thread."""

    def __init__(self, path: Path, rotation: Rotation = KEEP_ALL) -> None:
        self._path = path
        self._rotation = rotation
        self._open()

    def write(self, lines: bytes) -> None:
        """Append whole lines. Raises OSError or ValueError where that fails; some may then stand in the file."""
        with suppress(OSError):
            self._follow(len(lines))
        self._file.write(lines)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self._file.close()

    def _open(self) -> None:
        self._file = FileIO(self._path, "a")
        self._inode = os.fstat(self._file.fileno()).st_ino

    def _follow(self, more: int) -> None:
        """Be at the file that has the name, and let that be one with room."""
        size = self._size()
        if size is not None and self._rotation.size is not None and size and size + more > self._rotation.size:
            self._put_aside()
            size = self._size()
        if size is None:
            self._file.close()
            self._open()

    def _size(self) -> int | None:
        """How long the file is; None when the name belongs to another one, or to none."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        return found.st_size if found.st_ino == self._inode else None

    def _put_aside(self) -> None:
        """The name is free, unless another process has been here first."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            if self._size() is not None:
                for number in range(self._rotation.backups - 1, 0, -1):
                    if self._backup(number).exists():
                        self._backup(number).replace(self._backup(number + 1))
                if self._rotation.backups:
                    self._path.replace(self._backup(1))
                else:
                    self._path.unlink()
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
