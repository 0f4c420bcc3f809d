"""All that the handlers of management APIs work with. Wired where the gateway is put together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import AccountBook
from isthmus.engine.bodies import BodyShelf
from isthmus.engine.change import Change
from isthmus.engine.key_count import KeyCount
from isthmus.engine.listed_models import ListedModels
from isthmus.engine.live import Live
from isthmus.engine.logs import Dumps, Logs
from isthmus.engine.ports import Ports
from isthmus.engine.records import ClientKey, Configuration, Records
from isthmus.server.pages import Health, Recent


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

    @property
    def automatic(self) -> bool:
        """Does the file name no provider, so that those are asked that were found?"""
        ...

    @property
    def editable(self) -> bool:
        """Is there a file that can be changed?"""
        ...

    def plan(self, text: str) -> Change:
        """What `text` would change. A masked secret in it stands for what it hides in the file."""
        ...

    async def apply(self, text: str, who: str, note: str = "") -> Change:
        """Write it to the file, put it in force, remember it. Raises INVALID for a bad one; nothing is changed then."""
        ...

    def plan_edit(self, changes: Mapping[tuple[str | int, ...], object]) -> Change:
        """What setting these values would change, or what is wrong with it."""
        ...

    async def edit(self, changes: Mapping[tuple[str | int, ...], object], who: str, note: str = "") -> Change:
        """Set values by path in the file, None to take one away; comments survive. Raises as `apply`."""
        ...

    async def history(self, limit: int = 100) -> Sequence[Configuration]:
        """What was in force, the latest first, without texts. Raises UNSUPPORTED without a store."""
        ...

    async def past(self, number: int) -> Configuration:
        """One of them, its secrets masked. Raises UNKNOWN_PATH."""
        ...

    async def roll_back(self, number: int, who: str) -> Change:
        """Put the text with this number of the history in force again. Raises UNKNOWN_PATH where there is none."""
        ...

    def kind_of(self, text: str) -> str:
        """Which other system's configuration this is; "" for one of ours, or none at all."""
        ...

    def translate(self, text: str, kind: str) -> Mapping[str, object]:
        """A configuration of another system as sections of ours. Raises INVALID with what is wrong with it."""
        ...

    def reload(self) -> bool:
        """Read the file again. False when it is bad, and nothing was changed."""
        ...


class ClaudeSettings(Protocol):
    """The settings file of Claude Code on this machine."""

    @property
    def path(self) -> Path: ...

    def read(self) -> Mapping[str, Any]:
        """All of them. Raises INVALID where they cannot be read."""
        ...

    def change(self, put: Mapping[str, str], drop: Sequence[str] = ()) -> Mapping[str, Any]:
        """Set variables of its sessions and take others away; all settings as they are then. Raises INVALID."""
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

    async def seek(self, text: str | None) -> bool:
        """A key like ours was shown that is not taken here. True where something was new that may be it. Never raises;
        it asks the store so rarely that whoever shows wrong keys has it do nothing."""
        ...


class Desk:
    """`records` is None where the store is switched off; so are what rests on it. `began` is monotonic seconds.

    `key_counts` are what each upstream key was asked in this process, by provider and key; `listed` what providers
    list, for people who choose among their models.
    """

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
        dumps: Dumps | None = None,
        bodies: BodyShelf | None = None,
        metrics: Callable[[], Awaitable[bytes]] | None = None,
        claude: ClaudeSettings | None = None,
        key_counts: Callable[[], Mapping[tuple[str, str], KeyCount]] | None = None,
        accounts: AccountBook | None = None,
    ) -> None:
        self.live = live
        self.ports = ports
        self.began = ports.clock.now()
        self.health = health
        self.recent = recent
        self.records = records
        self.keys = keys
        self.configurer = configurer
        self.logs = logs
        self.dumps = dumps
        self.bodies = bodies
        self.metrics = metrics
        self.claude = claude
        self.key_counts = key_counts
        self.accounts = accounts
        self.listed = ListedModels(ports.transport, ports.clock)


def records_of(desk: Desk) -> Records:
    """Raises UNSUPPORTED where nothing is kept."""
    if desk.records is None:
        raise GatewayError(
            Kind.UNSUPPORTED, "the store is switched off (store.enabled), so nothing is kept", status=501
        )
    return desk.records


def accounts_of(desk: Desk) -> AccountBook:
    """Raises UNSUPPORTED where no accounts are kept."""
    if desk.accounts is None:
        words = "accounts are not kept here: the store is switched off (store.enabled)"
        raise GatewayError(Kind.UNSUPPORTED, words, status=501)
    return desk.accounts


def logs_of(desk: Desk) -> Logs:
    """Raises UNSUPPORTED where no line is kept."""
    if desk.logs is None:
        raise GatewayError(Kind.UNSUPPORTED, "no lines of the log are kept here", status=501)
    return desk.logs
