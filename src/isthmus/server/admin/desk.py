"""All that the handlers of management APIs work with. Wired where the gateway is put together."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from isthmus.core.value import Value
from isthmus.engine.live import Live
from isthmus.engine.ports import Ports
from isthmus.engine.records import ClientKey, Records
from isthmus.server.pages import Health, Recent


class LogLine(Value, frozen=True, kw_only=True):
    """One line of the log. `number` rises by one from line to line; `fields` is the whole of it as JSON."""

    number: int
    at: float
    level: str
    text: str
    fields: bytes


class Logs(Protocol):
    """The latest lines of the log, in a bounded ring."""

    def lines(self, *, after: int = 0, limit: int = 100, level: str | None = None) -> Sequence[LogLine]:
        """The latest `limit` of those numbered above `after`, the oldest first, at `level` and above."""
        ...

    def clear(self) -> int:
        """Forget them; how many there were."""
        ...

    def follow(self, *, after: int = 0) -> AsyncIterator[LogLine]:
        """The lines above `after`, and then each as it is written. One who reads too slowly misses lines."""
        ...

    @property
    def level(self) -> str: ...

    @level.setter
    def level(self, level: str) -> None: ...


class Change(Value, frozen=True, kw_only=True):
    """What putting a text in force would change: `diff` is unified, masked; `restart` names sections that take one.

    `problems` is empty for a good text; each is "LINE:COLUMN KEY: what".
    """

    problems: tuple[str, ...]
    diff: str
    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()


class Configurer(Protocol):
    """The configuration file, and what is in force of it."""

    @property
    def version(self) -> int:
        """Of what is in force."""
        ...

    def shown(self) -> Mapping[str, object]:
        """What is in force, as JSON; secrets masked."""
        ...

    def text(self) -> str:
        """The file as it is, secrets masked, comments and all."""
        ...

    def plan(self, text: str) -> Change:
        """What `text` would change. A masked secret in it stands for what is in the file at that place."""
        ...

    async def apply(self, text: str, who: str, note: str = "") -> Change:
        """Write it to the file, put it in force, remember it. Raises INVALID for a bad one; nothing is changed then."""
        ...

    async def edit(self, changes: Mapping[tuple[str | int, ...], object], who: str, note: str = "") -> Change:
        """Set values by path in the file, None to take one away; comments survive. Raises as `apply`."""
        ...

    async def roll_back(self, number: int, who: str) -> Change:
        """Put the text with this number of the history in force again. Raises UNKNOWN_PATH where there is none."""
        ...

    def reload(self) -> bool:
        """Read the file again. False when it is bad, and nothing was changed."""
        ...


class KeyChain(Protocol):
    """The client keys that the gateway gave out: what is taken at this moment, and how that is changed."""

    def all(self) -> Sequence[ClientKey]: ...

    async def add(self, key: ClientKey) -> None: ...

    async def change(self, key: ClientKey) -> None: ...

    async def remove(self, identity: str) -> None: ...

    async def refresh(self) -> None:
        """Read them again from the store."""
        ...


class Desk:
    """`records` is None where the store is switched off; so are what rests on it."""

    def __init__(  # noqa: PLR0913  all that there is
        self,
        live: Live,
        ports: Ports,
        *,
        health: Health,
        recent: Recent,
        records: Records | None = None,
        keys: KeyChain | None = None,
        configurer: Configurer | None = None,
        logs: Logs | None = None,
        metrics: Callable[[], Awaitable[bytes]] | None = None,
    ) -> None:
        self.live = live
        self.ports = ports
        self.health = health
        self.recent = recent
        self.records = records
        self.keys = keys
        self.configurer = configurer
        self.logs = logs
        self.metrics = metrics
