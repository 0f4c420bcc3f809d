"""Another value for one top-level string of a JSON object, without reading the rest of it.

Looks only where clients put short fields: in front of everything nested, and behind it. Acts
only when it is certain; whoever calls falls back on reading the object's fields.
"""

import re
from functools import lru_cache

from isthmus.wire import json

WINDOW = 2048
"""Bytes that are looked at, at each end."""

NEAR = 512
"""Bytes from the beginning of a body in which a field is looked for first, and that its string may have."""

_STRING = rb'"[^"]*"'
_OPENS, _OBJECT = frozenset(b"{,"), ord("{")
_NOT_FLAT = re.compile(rb"[\\{\[]")
_BEFORE = b",{ \t\r\n"
_MEMBER = _STRING + rb"\s*:\s*(?:" + _STRING + rb"|[-+.0-9eE]+|true|false|null)\s*"


def respell(body: bytes, name: str, old: str, new: str) -> bytes | None:
    """`body`, valid JSON of an object whose one field `name` holds `old`, with `new` in its place.

    None when the field does not stand where it can be told apart without reading everything. Every other
    byte stays as it is.
    """
    found = _place(body, name)
    if found is None or body[found[0] : found[1]] != json.encode(old):
        return None
    return b"".join((body[: found[0]], json.encode(new), body[found[1] :]))


def respell_any(body: bytes, name: str, new: str) -> bytes | None:
    """The same, whatever the field holds."""
    found = _place(body, name)
    return None if found is None else b"".join((body[: found[0]], json.encode(new), body[found[1] :]))


def _place(body: bytes, name: str) -> tuple[int, int] | None:
    """Where the field's string begins and ends, quotes and all."""
    near = _near(body, _mark(name))
    if near is not None:
        return near
    found = _find(body, name)
    return None if found is None else found.span(1)


def _near(body: bytes, mark: bytes) -> tuple[int, int] | None:
    """In front of everything nested, written without spaces, as most are.

    No string before it holds a quote, for there is no backslash: so a quote behind a brace or a comma, with a name
    behind it, opens that name.
    """
    at = body.find(mark, 1, NEAR)
    if at < 0 or body[at - 1] not in _OPENS or body[0] != _OBJECT:
        return None
    start = at + len(mark)
    end = body.find(b'"', start, start + NEAR)
    if end < 0 or _NOT_FLAT.search(body, 1, at) is not None or body.find(b"\\", start, end) >= 0:
        return None
    return start - 1, end + 1


@lru_cache(maxsize=8)
def _mark(name: str) -> bytes:
    return b'"%b":"' % name.encode()


def _find(body: bytes, name: str) -> re.Match[bytes] | None:
    """The patterns end a string at the next quote. A match without a backslash holds no other quotes than those."""
    front, back = _patterns(name)
    found = front.match(body, 0, WINDOW) or _last(body, name, back)
    return found if found is not None and body.find(b"\\", *found.span()) < 0 else None


def _last(body: bytes, name: str, back: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Where the name stands for a field near the end; what it is a value of is passed over."""
    quoted, least = b'"%b"' % name.encode(), max(0, len(body) - WINDOW)
    at = body.rfind(quoted, least)
    while at > least:
        if body[at - 1] in _BEFORE and (found := back.match(body, at)) is not None:
            return found
        at = body.rfind(quoted, least, at)
    return None


@lru_cache(maxsize=8)
def _patterns(name: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """The field behind nothing but plain members, and the field before nothing but plain members and the end.

    A quote inside a string is escaped, so neither can begin inside one; and a member of something nested is
    followed by more than one closing brace. Members are passed over one by one up to the field, never back again.
    """
    quoted = rb'"' + re.escape(name.encode()) + rb'"'
    field = quoted + rb"\s*:\s*(" + _STRING + rb")\s*"
    front = re.compile(rb"\s*\{\s*(?:(?!" + quoted + rb")" + _MEMBER + rb",\s*)*" + field)
    back = re.compile(field + rb"(?:,\s*" + _MEMBER + rb")*\}\s*\Z")
    return front, back
