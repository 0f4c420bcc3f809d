"""What was changed for each tool, so that it can be taken back: a small file each, which holds no secret."""

from collections.abc import Mapping
from pathlib import Path

from isthmus.core.value import Value
from isthmus.tools.files import find, write
from isthmus.tools.formats import values
from isthmus.tools.formats.documents import Format
from isthmus.wire import json


class PutRow(Value, frozen=True):
    """One value that was put: its path, an item of a list as `[field, name]`, and a digest of it."""

    path: tuple[str | tuple[str, str], ...]
    mark: str


class FileRecord(Value, frozen=True):
    """One file. `after` is the digest of what was written; `before` is where what had stood there is kept, None where
    there was no file; `mode` is that file's; `made` are folders that were not there."""

    path: str
    kind: Format
    after: str
    puts: tuple[PutRow, ...]
    before: str | None = None
    mode: int | None = None
    made: tuple[str, ...] = ()

    @property
    def marks(self) -> Mapping[values.Path, str]:
        return {tuple(map(_step, row.path)): row.mark for row in self.puts}


class ToolRecord(Value, frozen=True):
    """What a tool was pointed at, and its files."""

    url: str
    model: str
    files: tuple[FileRecord, ...]
    version: int = 1


_read = json.decoder(ToolRecord)


class RecordFolder:
    """The records, below the folder for data."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> ToolRecord | None:
        """None for a tool that was not connected, or whose record nobody can read any more."""
        content = find(self._path(name)).content
        try:
            return None if content is None else _read(content)
        except json.DECODE_ERRORS:
            return None

    def put(self, name: str, record: ToolRecord) -> None:
        """Raises OSError."""
        write(self._path(name), json.encode_pretty(record))

    def drop(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def rows_of(marks: Mapping[values.Path, str]) -> tuple[PutRow, ...]:
    """What `FileRecord.marks` reads back."""
    return tuple(
        PutRow(tuple(step if isinstance(step, str) else (step.field, step.name) for step in path), mark)
        for path, mark in marks.items()
    )


def _step(row: str | tuple[str, str]) -> values.Step:
    return row if isinstance(row, str) else values.Item(*row)
