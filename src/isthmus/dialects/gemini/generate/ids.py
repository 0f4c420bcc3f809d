"""Ids of tool calls, which this dialect may leave out: calls and results are then matched by name and order.

An id that is invented here is the same each time the same conversation is read, and is known again by its
beginning, so that the provider which gave none is told none.
"""

import hashlib
from collections.abc import Iterator

INVENTED = "gcall_"
_OTHERS = ("chatcmpl-", "msg_", "resp_", "gen-")


def invent(*seeds: object) -> str:
    """An id made of what the call is: at most 30 characters of letters, digits and underscores."""
    text = "\x00".join(map(str, seeds))
    return INVENTED + hashlib.sha256(text.encode(errors="replace")).hexdigest()[:24]


def is_invented(identity: str) -> bool:
    return identity.startswith(INVENTED)


def reply_id(text: str) -> str:
    """The id of an answer without another dialect's customary prefix."""
    for other in _OTHERS:
        text = text.removeprefix(other)
    return text


class CallIds:
    """Follows a conversation from its start. Results without an id answer the open calls of their name, in order."""

    def __init__(self) -> None:
        self._calls = 0
        self._open: list[tuple[str, str]] = []

    def of_call(self, identity: str | None, name: str, arguments: str) -> str:
        self._calls += 1
        found = identity or invent(self._calls, name, arguments)
        self._open.append((name, found))
        return found

    def of_result(self, identity: str | None, name: str) -> str:
        """The id of the call that it answers; an invented one where none is open."""
        for place in self._places(identity, name):
            return self._open.pop(place)[1]
        return identity or invent(self._calls, name)

    def _places(self, identity: str | None, name: str) -> Iterator[int]:
        for place, (called, known) in enumerate(self._open):
            if known == identity if identity else called == name:
                yield place
