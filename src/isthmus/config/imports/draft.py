"""Reading a document by tables: every key of another system has a row, which says what it becomes here.

A key without a row is reported as unknown, one whose row has no reader as without equal: nothing is dropped in
silence. What is empty counts as not said, as in our own file.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from isthmus.config.imports.report import Fit, Imported, Remark
from isthmus.config.problems import Path, nearest, write_path

Spell: TypeAlias = Callable[[str], str]
"""From a text as the other system writes it to the text that our file says the same with."""
Read: TypeAlias = Callable[["Draft", object, Path], None]
"""Puts the value of one key, which stands at a path of theirs, into a draft."""
MOST = 1e15
"""No number that another system's file holds is as large."""


class Row(NamedTuple):
    """What one key becomes. `same` are values that mean what happens here anyway, so that nothing is to be said."""

    what: Fit | None = None
    note: str = ""
    read: Read | None = None
    same: tuple[object, ...] = ()


Table: TypeAlias = Mapping[str, Row]
BESIDE = Row()
"""A key that is read together with others."""


class Draft:
    """Our document while it is made. What is put into a draft from `under` lands below the keys that were named."""

    def __init__(self, spell: Spell) -> None:
        self._spell = spell
        self._document: dict[str, object] = {}
        self._remarks: list[Remark] = []
        self._origins: dict[str, Path] = {}
        self._above: tuple[str, ...] = ()

    def under(self, *ours: str, theirs: Path = ()) -> "Draft":
        """The same draft, for what stands below these keys, all of which is from `theirs`."""
        below = Draft(self._spell)
        below._document, below._remarks, below._origins = self._document, self._remarks, self._origins
        below._above = (*self._above, *ours)
        if theirs:
            below._origins[write_path(below._above)] = theirs
        return below

    def top(self) -> "Draft":
        """The same draft, from the top of the document."""
        whole = self.under()
        whole._above = ()
        return whole

    def scratch(self) -> "Draft":
        """An empty draft that reports to the same place, for what is looked at before it is known where it belongs."""
        beside = Draft(self._spell)
        beside._remarks = self._remarks
        return beside

    def adopt(self, ours: tuple[str, ...], other: "Draft", theirs: Path) -> None:
        """All that was put into another draft, below our key."""
        path = (*self._above, *ours)
        self._holder(path)[path[-1]] = dict(other._document)
        name = write_path(path)
        self._origins[name] = theirs
        self._origins.update({f"{name}.{key}": place for key, place in other._origins.items()})

    def known(self) -> frozenset[str]:
        """The keys that have been put here."""
        here = self.get()
        return frozenset(here) if isinstance(here, dict) else frozenset()

    def put(self, ours: tuple[str, ...], value: object, theirs: Path) -> None:
        """The value of our key, replacing an earlier one."""
        path = (*self._above, *ours)
        self._holder(path)[str(path[-1])] = self.spelled(value)
        self._origins[write_path(path)] = theirs

    def put_spelled(self, ours: tuple[str, ...], value: str, theirs: Path) -> None:
        """A text that is in the words of our file already."""
        path = (*self._above, *ours)
        self._holder(path)[path[-1]] = value
        self._origins[write_path(path)] = theirs

    def append(self, ours: tuple[str, ...], value: object, theirs: Path) -> None:
        """One more item of our list."""
        path = (*self._above, *ours)
        items = self._holder(path).setdefault(str(path[-1]), [])
        assert isinstance(items, list)  # noqa: S101  a key of ours is put, or appended to
        self._origins[write_path((*path, len(items)))] = theirs
        items.append(self.spelled(value))

    def get(self, *ours: str) -> object:
        """What has been put there; None for nothing."""
        found: object = self._document
        for step in (*self._above, *ours):
            found = found.get(str(step)) if isinstance(found, dict) else None
        return found

    def holds(self, item: str, *ours: str) -> bool:
        """Is this one of the items of our list?"""
        found = self.get(*ours)
        return isinstance(found, list) and item in found

    def drop(self, ours: str) -> None:
        """Take back what was put there."""
        self._holder((*self._above, ours)).pop(ours, None)

    def note(self, what: Fit, theirs: Path, words: str) -> None:
        """Something to tell of a key of theirs; once."""
        remark = Remark(theirs, what, words)
        if remark not in self._remarks:
            self._remarks.append(remark)

    def wrong(self, theirs: Path, words: str) -> None:
        self.note(Fit.WRONG, theirs, words)

    def done(self) -> Imported:
        return Imported(self._document, tuple(self._remarks), self._origins)

    def spelled(self, value: object) -> object:
        """The value in the words of our file: every scalar as text, and every text as our file writes it."""
        if isinstance(value, Mapping):
            return {str(name): self.spelled(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.spelled(item) for item in value]
        return self._spell(value) if isinstance(value, str) else text_of(value)

    def _holder(self, path: Path) -> dict[str, object]:
        here = self._document
        for step in path[:-1]:
            below = here.setdefault(str(step), {})
            assert isinstance(below, dict)  # noqa: S101  no key of ours is a value and a mapping
            here = below
        return here


def same(*ours: str) -> Row:
    """The key means what this key of ours means."""
    return Row(read=lambda draft, value, path: draft.put(ours, value, path))


def reads(read: Read, note: str = "") -> Row:
    """The key is taken over by a function; a `note` says what differs."""
    return Row(Fit.DIFFERS if note else None, note, read)


def differs(note: str, *ours: str) -> Row:
    """The value is taken over, and means something a little different here."""
    return Row(Fit.DIFFERS, note, same(*ours).read)


def lost(note: str, *same: object) -> Row:
    """There is no equal; but with a value of `same` nothing is lost."""
    return Row(Fit.NO_EQUAL, note, None, same)


def below(table: Table) -> Row:
    """A mapping with a table of its own."""
    return Row(read=lambda draft, value, path: take(draft, table, value, path))


def when_true(value: str, *ours: str) -> Row:
    """A switch: where it is on, our key has this value; off is how we are anyway."""
    return Row(read=lambda draft, _, path: draft.put(ours, value, path), same=(False,))


def take(draft: Draft, table: Table, document: object, path: Path) -> None:
    """Read every key of the document by its row, in the order of the table."""
    said = dict(mapping(draft, document, path))
    for key in (key for key in said if key not in table):
        draft.note(Fit.UNKNOWN, (*path, key), f"is not a key that is known of that system{nearest(key, table)}")
    for key, row in table.items():
        value = said.get(key)
        if is_empty(value) or _means_nothing(value, row.same):
            continue
        if row.what is not None:
            draft.note(row.what, (*path, key), row.note)
        if row.read is not None:
            row.read(draft, value, (*path, key))


def mapping(draft: Draft, value: object, path: Path) -> Iterator[tuple[str, object]]:
    """The items of a mapping; none of anything else, which is noted."""
    if isinstance(value, Mapping):
        yield from ((str(name), item) for name, item in value.items())
    elif not is_empty(value):
        draft.wrong(path, "must be a mapping")


def items(draft: Draft, value: object, path: Path) -> Iterator[tuple[object, Path]]:
    """The items of a list, each with its place; none of anything else, which is noted."""
    if isinstance(value, list):
        yield from ((item, (*path, index)) for index, item in enumerate(value))
    elif not is_empty(value):
        draft.wrong(path, "must be a list")


def texts(draft: Draft, value: object, path: Path) -> list[str]:
    """The texts of a list."""
    found = [text(draft, item, at) for item, at in items(draft, value, path)]
    return [one for one in found if one]


def text(draft: Draft, value: object, path: Path) -> str:
    """The text of a scalar; "" for anything else, which is noted."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return text_of(value)
    if not is_empty(value):
        draft.wrong(path, "must be a text")
    return ""


def number(draft: Draft, value: object, path: Path) -> float | None:
    """The number of a scalar; None for anything else, which is noted."""
    try:
        found = float(text(draft, value, path))
    except ValueError:
        found = math.inf
    if abs(found) < MOST and not isinstance(value, bool):
        return found
    draft.wrong(path, "must be a number")
    return None


def whole(draft: Draft, value: object, path: Path, *, least: int = 1, most: int = 10**9) -> int | None:
    """The nearest whole number within bounds; None for what is no number, which is noted."""
    found = number(draft, value, path)
    return None if found is None else max(least, min(most, int(found)))


def text_of(value: object) -> str:
    """A scalar as our file writes it: true and false in small letters, and no number with an exponent."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def one_text(value: object) -> str:
    """The text where it is one; "" for anything else, of which nothing is noted."""
    return value if isinstance(value, str) else ""


def is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | Mapping) and not value)


def _means_nothing(value: object, same: tuple[object, ...]) -> bool:
    return any(type(value) is type(one) and value == one for one in same)
