"""Another value for one top-level string of a JSON object, without reading the rest of it.

Looks only where clients put short fields: in front of everything nested, and behind it. Acts
only when it is certain; whoever calls falls back on reading the object's fields.
"""

import re
from functools import lru_cache

from isthmus.wire import json

WINDOW = 2048
"""Bytes that are looked at, at each end."""

_STRING = rb'"[^"]*"'
_BEFORE = b",{ \t\r\n"
_MEMBER = _STRING + rb"\s*:\s*(?:" + _STRING + rb"|[-+.0-9eE]+|true|false|null)\s*"


def respell(body: bytes, name: str, old: str, new: str) -> bytes | None:
    """`body`, valid JSON of an object whose one field `name` holds `old`, with `new` in its place.

    None when the field does not stand where it can be told apart without reading everything. Every other
    byte stays as it is.
    """
    found = _find(body, name)
    return _put(body, found, new) if found is not None and found[1] == json.encode(old) else None


def respell_any(body: bytes, name: str, new: str) -> bytes | None:
    """The same, whatever the field holds."""
    found = _find(body, name)
    return None if found is None else _put(body, found, new)


def _put(body: bytes, found: re.Match[bytes], new: str) -> bytes:
    return b"".join((body[: found.start(1)], json.encode(new), body[found.end(1) :]))


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
