"""What would change in a file, for people to read: its lines, with whatever may be a secret hidden."""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from isthmus.core.secret import HIDDEN
from isthmus.tools.formats.documents import Format, read
from isthmus.tools.formats.values import CannotChange
from isthmus.wire import json

SECRET = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTHORIZATION", "COOKIE")
"""What the name of a secret holds, in capitals."""
CONTEXT = 0
"""Lines that are shown around a change: what is not ours to change may be a secret by another name."""


def difference(name: str, kind: Format, before: bytes | None, after: bytes | None) -> Sequence[str]:
    """The lines that go and come, as `diff -u` shows them."""
    old, new = _text(before), _text(after)
    hidden = sorted({*_secrets(kind, old), *_secrets(kind, new)}, key=len, reverse=True)
    sides = ("/dev/null" if before is None else name), ("/dev/null" if after is None else name)
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), *sides, lineterm="", n=CONTEXT)
    return [_masked(line, hidden) for line in lines]


def _text(content: bytes | None) -> str:
    return (content or b"").decode(errors="replace")


def _secrets(kind: Format, text: str) -> Iterator[str]:
    """Every text that stands under a name like a secret's, as it is and as it is spelled in JSON."""
    try:
        found = list(_below(read(kind, text), secret=False))
    except CannotChange:
        return
    for one in found:
        yield one
        yield json.encode(one).decode()[1:-1]


def _below(value: object, *, secret: bool) -> Iterator[str]:
    if isinstance(value, str):
        if secret and value:
            yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _below(one, secret=secret or any(word in str(name).upper() for word in SECRET))
    elif isinstance(value, Sequence):
        for one in value:
            yield from _below(one, secret=secret)


def _masked(line: str, hidden: Sequence[str]) -> str:
    for one in hidden:
        line = line.replace(one, HIDDEN)
    return line
