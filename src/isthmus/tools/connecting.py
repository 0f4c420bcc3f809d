"""Pointing a tool at the gateway by its own files, and back.

What a file said before the first change is kept beside it. Connecting again begins where the first time began, so twice
comes to the same as once. Nothing is written before every file was read, changed and read again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.tools.files import MODE, Found, check_same, find, refused, replace, write
from isthmus.tools.formats.documents import Format, change, read
from isthmus.tools.formats.values import CannotChange, look
from isthmus.tools.formats.values import Path as Inside
from isthmus.tools.merging import leaves, mark_of, undone
from isthmus.tools.records import FileRecord, RecordFolder, ToolRecord, rows_of
from isthmus.tools.tool import ANY_KEY, Aim, Change, Home, Tool

BEFORE = ".before-isthmus"
"""What the kept file's name ends with."""
MOST_KEPT = 100


class Planned(Value, frozen=True):
    """One file that is to change: as it is, as it was before anything of ours, and as it will be. None for no file."""

    found: Found
    kind: Format
    before: bytes | None
    after: bytes | None
    puts: Mapping[Inside, object]
    record: FileRecord | None

    @property
    def differs(self) -> bool:
        return self.found.content != self.after


class State(Value, frozen=True):
    """How a tool stands to the gateway. `url` is where it was pointed, `changed` that somebody has changed that since.

    `by_hand` is that its files say the same without our doing.
    """

    url: str | None = None
    changed: bool = False
    by_hand: bool = False


def plan_to_connect(tool: Tool, aim: Aim, home: Home, records: RecordFolder) -> Sequence[Planned]:
    """Every file of the tool as it will be. Raises INVALID where one cannot be changed; nothing is written."""
    known = _known(tool, records)
    planned = [_planned(one, known.pop(str(find(one.path).path), None)) for one in tool.changes(aim, home)]
    return [*planned, *(_restored(record) for record in known.values())]


def connect(tool: Tool, aim: Aim, planned: Sequence[Planned], records: RecordFolder) -> None:
    """Write what was planned. Raises INVALID, and leaves alone what somebody else changed meanwhile."""
    for one in planned:
        check_same(one.found)
    made = [(one, _made(one.found.path)) for one in planned if one.puts]
    rows = tuple(_kept(one, folders) for one, folders in made)
    try:
        records.put(tool.name, ToolRecord(aim.url, aim.model, rows))
    except OSError as error:
        raise refused(Path(tool.name), f"cannot be remembered: {error.strerror}", status=500) from error
    for one in planned:
        if one.differs:
            replace(one.found, one.after, _mode(one, aim))
    for one in planned:
        if not one.puts:
            _forget(one)


def plan_to_disconnect(tool: Tool, records: RecordFolder) -> Sequence[Planned]:
    """Every file as it will be without us. None of them for a tool that was not connected. Raises INVALID."""
    return [_restored(record) for record in _known(tool, records).values()]


def disconnect(tool: Tool, planned: Sequence[Planned], records: RecordFolder) -> None:
    """Write what was planned, and forget. Raises INVALID as `connect`."""
    for one in planned:
        if one.differs:
            mode = None if one.record is None else one.record.mode
            replace(one.found, one.after, mode or one.found.mode or MODE)
        _forget(one)
    records.drop(tool.name)


def state_of(tool: Tool, aim: Aim, home: Home, records: RecordFolder) -> State:
    """How a tool stands to the gateway that `aim` tells. Files that cannot be read count as changed."""
    record = records.get(tool.name)
    if record is not None:
        return State(record.url, changed=not all(map(_holds, record.files)))
    told = [one for one in tool.changes(aim, home) if _points_there(one, aim, home)]
    return State(aim.url, by_hand=True) if told else State()


def _known(tool: Tool, records: RecordFolder) -> dict[str, FileRecord]:
    record = records.get(tool.name)
    return {} if record is None else {one.path: one for one in record.files}


def _planned(wanted: Change, record: FileRecord | None) -> Planned:
    found = find(wanted.path)
    try:
        before = _undone(found, record)
        puts = leaves({**(wanted.head if before is None else {}), **wanted.puts})
        after = change(wanted.kind, _text(before), puts).encode()
    except CannotChange as error:
        raise refused(wanted.path, str(error)) from error
    return Planned(found, wanted.kind, before, after, puts, record)


def _restored(record: FileRecord) -> Planned:
    found = find(Path(record.path))
    try:
        before = _undone(found, record)
    except CannotChange as error:
        raise refused(found.path, str(error)) from error
    return Planned(found, record.kind, before, before, {}, record)


def _undone(found: Found, record: FileRecord | None) -> bytes | None:
    """What the file said before us: word for word where nobody else changed it, else without what is ours."""
    if record is None or found.content is None:
        return found.content
    before = _before(record)
    if hashlib.sha256(found.content).hexdigest() == record.after and (before is not None or record.before is None):
        return before
    text = undone(record.kind, _text(found.content), None if before is None else _text(before), record.marks)
    return None if record.before is None and not text.strip() else text.encode()


def _before(record: FileRecord) -> bytes | None:
    return None if record.before is None else find(Path(record.before)).content


def _text(content: bytes | None) -> str:
    try:
        return "" if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise CannotChange("is no UTF-8, and is left as it is") from error


def _kept(one: Planned, made: Sequence[str]) -> FileRecord:
    """The record of a file, with what it said before kept beside it."""
    path, old = one.found.path, one.record
    kept = None if old is None else old.before
    if one.before is None:
        kept = None
    elif kept is None or find(Path(kept)).content != one.before:
        kept = kept or str(_beside(path))
        _write(Path(kept), one.before)
    marks = {inside: mark_of(value) for inside, value in one.puts.items()}
    after = hashlib.sha256(one.after or b"").hexdigest()
    mode = one.found.mode if old is None else old.mode
    return FileRecord(str(path), one.kind, after, rows_of(marks), kept, mode, tuple(made) if old is None else old.made)


def _write(path: Path, content: bytes) -> None:
    try:
        write(path, content)
    except OSError as error:
        raise refused(path, f"cannot be written: {error.strerror}", status=500) from error


def _beside(path: Path) -> Path:
    """Where to keep what a file says: a name beside it that is free."""
    for number in ("", *(f"-{count}" for count in range(2, MOST_KEPT))):
        beside = path.with_name(f"{path.name}{BEFORE}{number}")
        if not beside.exists():
            return beside
    raise refused(path, f"has {MOST_KEPT} kept files beside it already; take some away")


def _made(path: Path) -> list[str]:
    """The folders that are not there yet, the innermost first."""
    return [str(folder) for folder in path.parents if not folder.exists()]


def _mode(one: Planned, aim: Aim) -> int:
    """As it was; for its owner alone where it holds a client key, and where it is new."""
    mode = MODE if one.found.mode is None else one.found.mode
    key = aim.key.reveal()
    return mode & MODE if key != ANY_KEY and key.encode() in (one.after or b"") else mode


def _forget(one: Planned) -> None:
    """Take away what was kept, and folders that were made and are empty again."""
    if one.record is None:
        return
    if one.record.before is not None:
        Path(one.record.before).unlink(missing_ok=True)
    if one.after is None:
        for folder in one.record.made:
            try:
                Path(folder).rmdir()
            except OSError:
                return


def _holds(record: FileRecord) -> bool:
    """Does the file still say all that was put into it?"""
    try:
        said = read(record.kind, _text(find(Path(record.path)).content))
    except (GatewayError, CannotChange):
        return False
    return all(mark_of(look(said, path)) == mark for path, mark in record.marks.items())


def _points_there(wanted: Change, aim: Aim, home: Home) -> bool:
    """Does the file give the gateway's address where we would have put it?"""
    said = home.settings(wanted.path, wanted.kind)
    ours = [(path, value) for path, value in leaves(wanted.puts).items() if value in (aim.url, aim.v1)]
    return any(look(said, path) == value for path, value in ours)
