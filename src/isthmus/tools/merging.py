"""Values put into settings and taken out again, with what others changed in between left alone. Pure."""

import hashlib
from collections.abc import Mapping

from isthmus.tools.formats.documents import Format, change, read
from isthmus.tools.formats.values import ABSENT, Absent, Item, Path, changed, look
from isthmus.wire import json


def leaves(puts: Mapping[Path, object]) -> dict[Path, object]:
    """The same with a path for each field of an object, so that each can be told apart later."""
    found: dict[Path, object] = {}
    for path, value in puts.items():
        if isinstance(value, Mapping) and value and not any(isinstance(step, Item) for step in path):
            found |= leaves({(*path, name): one for name, one in value.items()})
        else:
            found[path] = value
    return found


def mark_of(value: object) -> str:
    """What tells a value from others without telling the value."""
    said = b"absent" if value is ABSENT else json.canonical(json.encode(value).decode()).encode()
    return hashlib.sha256(said).hexdigest()


def undone(kind: Format, text: str, before: str | None, marks: Mapping[Path, str]) -> str:
    """The text with what was put in taken out, and what had stood there before put back.

    `marks` tells what was put; where something else stands by now, that is somebody's, and stays. What was made only
    to hold it goes with it. `before` is the text as it was first, None where there was none. Raises CannotChange.
    """
    now = read(kind, text)
    old = ABSENT if before is None else read(kind, before)
    edits: dict[Path, object] = {}
    for path, mark in marks.items():
        if mark_of(look(now, path)) == mark:
            edits[path] = look(old, path)
            now = changed(now, path, edits[path])
            _prune(now, old, path, edits)
            for above, value in edits.items():
                now = changed(now, above, value)
    return change(kind, text, edits)


def _prune(now: object, old: object, path: Path, edits: dict[Path, object]) -> None:
    """Where nothing is left in what leads to `path`, and there was nothing of it before, it is edited in its place."""
    for length in range(len(path) - 1, 0, -1):
        above = path[:length]
        had = look(old, above)
        if look(now, above) not in ({}, []) or not (had is None or isinstance(had, Absent)):
            return
        now = changed(now, above, had)
        for below in [one for one in edits if one[:length] == above]:
            del edits[below]
        edits[above] = had
