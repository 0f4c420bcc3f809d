"""What is kept for good, as values, and the port through which it is reached: client keys, use, audit, configurations.

Times are Unix seconds, money is whole microdollars. Nothing here holds a key itself, or anything of a conversation.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from isthmus.core.losses import OnLoss
from isthmus.core.periods import Period as Period  # noqa: PLC0414  told on to those who keep records
from isthmus.core.value import Value


class Permits(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a client may use; empty: everything. `models` may hold `*`; `keys` are upstream keys, "PROVIDER/KEY".

    `operations` are what is asked of a model: "chat", "embed", "count".
    """

    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()


class Allowance(Value, frozen=True, kw_only=True, omit_defaults=True):
    """How much a client may ask, by measure and time; None for no bound. `budgets` are microdollars by period."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_day: int | None = None
    concurrency: int | None = None
    budgets: Mapping[Period, int] = {}


class ClientKey(Value, frozen=True, kw_only=True):
    """A client key that the gateway gave out. `digest` is its SHA-256, `hint` its first and last characters.

    `earlier` are digests that it was rotated away from, and until when they are still taken. `name` is unique.
    `believed`: it is still taken when the store has been out of reach for too long to know better. `cache`: whether
    answers to it are kept for the same request to come again; None where nothing was said of it.
    """

    id: str
    name: str
    digest: bytes
    hint: str
    created_at: float
    earlier: tuple[tuple[bytes, float], ...] = ()
    owner: str = ""
    team: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}
    expires_at: float | None = None
    disabled: bool = False
    permits: Permits = Permits()
    allowance: Allowance = Allowance()
    on_loss: OnLoss | None = None
    believed: bool = False
    cache: bool | None = None


class Used(Value, frozen=True):
    """One exchange that is over, as it is kept and billed. `ms` is how long it took, `first_ms` until it said anything.

    `model` is the one that answered, or was asked last, `asked` the name in the request; `key` names the upstream key.
    Tokens are disjoint, as in `core.usage.Usage`. `microdollars` is None where nobody knows a price.
    """

    id: str
    at: float
    client: str
    team: str
    provider: str
    key: str
    model: str
    asked: str
    dialect: str
    operation: str
    lane: str
    stream: bool
    outcome: str
    status: int
    error: str
    attempts: int
    fresh_input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    microdollars: int | None
    ms: float
    first_ms: float | None
    losses: int = 0
    cached: bool = False


class Spent(Value, frozen=True):
    """What one scope ("client:NAME", "team:NAME", "global:") spent in the period that began at `since`."""

    scope: str
    period: Period
    since: float
    microdollars: int


class By(StrEnum):
    """What use is summed up by."""

    CLIENT = "client"
    TEAM = "team"
    PROVIDER = "provider"
    KEY = "key"
    MODEL = "model"
    OPERATION = "operation"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


class UsageQuery(Value, frozen=True, kw_only=True):
    """Use from `since` until before `until`, summed up by each of `by`, of those that `only` names (By to names).

    At most `limit` sums, in the order of time, then of what they cost.
    """

    since: float
    until: float
    by: tuple[By, ...] = ()
    only: Mapping[By, tuple[str, ...]] = {}
    limit: int = 1000


class UsageSum(Value, frozen=True, kw_only=True):
    """`group` is by what it was summed up; `at` begins its hour, day or month. `unpriced` are requests without a price.

    `ms` and `first_ms` are sums; `first_count` is how many said anything.
    """

    group: Mapping[By, str]
    at: float | None
    requests: int
    failed: int
    cancelled: int
    fresh_input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int
    microdollars: int
    unpriced: int
    ms: float
    first_ms: float
    first_count: int


class UsedQuery(Value, frozen=True, kw_only=True):
    """Single exchanges, the latest first, before `before` (Unix time); of those that `only` names.

    `failed`: only those that did not answer.
    """

    before: float | None = None
    only: Mapping[By, tuple[str, ...]] = {}
    failed: bool = False
    limit: int = 100


class Deed(Value, frozen=True, kw_only=True):
    """Something that an administrator did or was refused. `what` is the route, `on` what it was done to."""

    at: float
    who: str
    role: str
    peer: str
    what: str
    on: str
    outcome: str
    detail: str = ""


class Configuration(Value, frozen=True, kw_only=True):
    """One text of the configuration file that was in force, with its secrets as they stood in it: never shown so."""

    number: int
    at: float
    who: str
    text: str
    note: str = ""


class Records(Protocol):
    """The store. Everything that waits for it raises STORE_GONE when it cannot be reached in a few seconds."""

    @property
    def state(self) -> str:
        """For people: what it is, and whether it can be reached."""
        ...

    def use(self, rows: Sequence[Used]) -> None:
        """Keep these, soon. Never blocks and never raises; beyond a bound, rows are dropped and counted."""
        ...

    async def client_keys(self) -> Sequence[ClientKey]: ...

    async def client_keys_version(self) -> int:
        """Rises with every change of a client key, whichever instance made it; cheap to ask every few seconds."""
        ...

    async def put_client_key(self, key: ClientKey) -> None:
        """Add it, or put it in place of the one with its id. Raises INVALID where another has its name."""
        ...

    async def drop_client_key(self, identity: str) -> None: ...

    async def spent(self, now: float) -> Sequence[Spent]:
        """What every scope spent in the periods that `now` is in."""
        ...

    async def usage(self, query: UsageQuery) -> Sequence[UsageSum]: ...

    async def used(self, query: UsedQuery) -> Sequence[Used]: ...

    async def note(self, deed: Deed) -> None: ...

    async def deeds(self, *, before: float | None = None, limit: int = 100) -> Sequence[Deed]:
        """The latest first."""
        ...

    async def keep_configuration(self, who: str, text: str, note: str = "") -> int:
        """Its number. A text that is the latest one already keeps its number."""
        ...

    async def configurations(self, limit: int = 100) -> Sequence[Configuration]:
        """The latest first, without their texts."""
        ...

    async def configuration(self, number: int) -> Configuration | None: ...
