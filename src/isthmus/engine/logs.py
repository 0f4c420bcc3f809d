"""Lines of the log as values, and the ports through which the latest of them, and dumps of what failed, are reached.

Nothing here holds a key, or anything of a conversation.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from isthmus.core.value import Value
from isthmus.engine.facts import Facts, in_words, one_line
from isthmus.wire import json

LEVELS: Mapping[str, int] = MappingProxyType({"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50})
"""How much a line matters, as the standard library counts it."""

_facts = json.decoder(Facts)


class LogLine(Value, frozen=True, kw_only=True):
    """One line of the log. `number` rises by one from line to line; `fields` is the whole of it as JSON."""

    number: int
    at: float
    level: str
    fields: bytes

    @property
    def text(self) -> str:
        """The line for people."""
        return as_text(self.fields)


class LogQuery(Value, frozen=True, kw_only=True):
    """The latest `limit` lines numbered above `after` and not older than `since` (Unix time), at `level` and above.

    Of the lines of exchanges only those that each name given here fits: the client's, the provider's, and the model's,
    as it was asked for or as the provider calls it. With such a name no other lines are found.
    """

    after: int = 0
    since: float = 0.0
    limit: int = 100
    level: str | None = None
    client: str | None = None
    provider: str | None = None
    model: str | None = None


class Logs(Protocol):
    """The latest lines of the log, in a bounded ring."""

    @property
    def last(self) -> int:
        """The number of the latest line, 0 before the first."""
        ...

    def lines(self, query: LogQuery = ..., /) -> Sequence[LogLine]:
        """What the query asks for, the oldest first. A line `after` which nothing can be yet counts as none."""
        ...

    def clear(self) -> int:
        """Forget them; how many there were."""
        ...

    def follow(self, query: LogQuery = ..., /, *, silence: float = ...) -> AsyncGenerator[Sequence[LogLine], None]:
        """The lines that the query asks for, and then each as it is written, some at a time.

        None at a time where none came for `silence` seconds. One who reads too slowly misses lines, and a line says
        how many. Ends when the gateway stops. Raises OVERLOADED where too many follow.
        """
        ...

    @property
    def level(self) -> str:
        """The least important lines that are written."""
        ...

    @level.setter
    def level(self, level: str) -> None:
        """Raises INVALID for what is none."""
        ...


class Dump(Value, frozen=True, kw_only=True):
    """One exchange that failed, as it is listed. `bytes` is how long its file is."""

    name: str
    at: float
    bytes: int


class Dumps(Protocol):
    """Files about exchanges that failed, the latest of them."""

    def names(self) -> Sequence[Dump]:
        """The latest first. Reads a folder."""
        ...

    def read(self, name: str) -> bytes:
        """The file, which is JSON. Raises UNKNOWN_PATH where there is none of this name."""
        ...


def as_text(fields: bytes) -> str:
    """A line, given as JSON, for people."""
    told = json.decode(fields)
    if told.get("event") == "exchange":
        facts = _facts(fields)
        return in_words(facts, facts.at)
    words = (str(told.get(name, "")) for name in ("at", "level", "message"))
    return one_line(" ".join(filter(None, words)))
