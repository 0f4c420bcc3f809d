"""A store in memory, for tests: it implements the engine's Records, and is out of reach when a test says so."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.records import (
    By,
    ClientKey,
    Configuration,
    Deed,
    Period,
    Spent,
    UsageQuery,
    UsageSum,
    Used,
    UsedQuery,
)

NAMED: Mapping[By, Callable[[Used], str]] = {
    By.CLIENT: lambda row: row.client,
    By.TEAM: lambda row: row.team,
    By.PROVIDER: lambda row: row.provider,
    By.KEY: lambda row: f"{row.provider}/{row.key}",
    By.MODEL: lambda row: row.model,
    By.OPERATION: lambda row: row.operation,
}


class FakeRecords:
    """`gone`: nothing can be reached. `asked` counts the calls of each name. `rows` are those that were handed over."""

    def __init__(self, *keys: ClientKey) -> None:
        self.keys = {key.id: key for key in keys}
        self.rows: dict[str, Used] = {}
        self.noted: list[Deed] = []
        self.history: list[Configuration] = []
        self.version = 1
        self.gone = False
        self.asked: dict[str, int] = {}
        self.time = 1_700_000_000.0

    @property
    def state(self) -> str:
        return "out of reach" if self.gone else "in memory"

    def use(self, rows: Sequence[Used]) -> None:
        for row in rows:
            self.rows.setdefault(row.id, row)

    async def client_keys(self) -> Sequence[ClientKey]:
        self._reach("client_keys")
        return tuple(self.keys.values())

    async def client_keys_version(self) -> int:
        self._reach("client_keys_version")
        return self.version

    async def put_client_key(self, key: ClientKey) -> None:
        self._reach("put_client_key")
        if any(other.name == key.name and other.id != key.id for other in self.keys.values()):
            raise GatewayError(Kind.INVALID, f"another client key has the name {key.name!r}", param="name")
        self.keys[key.id] = key
        self.version += 1

    async def drop_client_key(self, identity: str) -> None:
        self._reach("drop_client_key")
        if self.keys.pop(identity, None) is not None:
            self.version += 1

    async def spent(self, now: float) -> Sequence[Spent]:
        self._reach("spent")
        sums: dict[tuple[str, Period, float], int] = {}
        for row in self.rows.values():
            for scope in scopes_of(row):
                for period in Period:
                    since = begin_of(period, now)
                    if begin_of(period, row.at) == since and row.microdollars is not None:
                        key = (scope, period, since)
                        sums[key] = sums.get(key, 0) + row.microdollars
        return tuple(Spent(*key, microdollars) for key, microdollars in sums.items())

    async def usage(self, query: UsageQuery) -> Sequence[UsageSum]:
        self._reach("usage")
        groups: dict[tuple[float | None, tuple[str, ...]], list[Used]] = {}
        names = tuple(by for by in query.by if by in NAMED)
        for row in self._only(query.only):
            if query.since <= row.at < query.until:
                key = (_begin_of_by(query.by, row.at), tuple(NAMED[by](row) for by in names))
                groups.setdefault(key, []).append(row)
        sums = [summed(rows, dict(zip(names, group, strict=True)), at) for (at, group), rows in groups.items()]
        return tuple(sorted(sums, key=lambda one: (one.at or 0.0, -one.microdollars))[: query.limit])

    async def used(self, query: UsedQuery) -> Sequence[Used]:
        self._reach("used")
        rows = [
            row
            for row in self._only(query.only)
            if (query.before is None or row.at < query.before) and (not query.failed or row.outcome != "answered")
        ]
        return tuple(sorted(rows, key=lambda row: -row.at)[: query.limit])

    async def note(self, deed: Deed) -> None:
        self._reach("note")
        self.noted.append(deed)

    async def deeds(self, *, before: float | None = None, limit: int = 100) -> Sequence[Deed]:
        self._reach("deeds")
        told = [deed for deed in self.noted if before is None or deed.at < before]
        return tuple(sorted(told, key=lambda deed: -deed.at)[:limit])

    async def keep_configuration(self, who: str, text: str, note: str = "") -> int:
        self._reach("keep_configuration")
        if not self.history or self.history[-1].text != text:
            number = len(self.history) + 1
            self.history.append(Configuration(number=number, at=self.time, who=who, text=text, note=note))
        return self.history[-1].number

    async def configurations(self, limit: int = 100) -> Sequence[Configuration]:
        self._reach("configurations")
        return tuple(
            Configuration(number=one.number, at=one.at, who=one.who, text="", note=one.note)
            for one in reversed(self.history)
        )[:limit]

    async def configuration(self, number: int) -> Configuration | None:
        self._reach("configuration")
        return next((one for one in self.history if one.number == number), None)

    def _reach(self, what: str) -> None:
        self.asked[what] = self.asked.get(what, 0) + 1
        if self.gone:
            raise GatewayError(Kind.STORE_GONE, "the store cannot be reached; try again shortly", retry_after=1.0)

    def _only(self, only: Mapping[By, tuple[str, ...]]) -> Iterable[Used]:
        return (row for row in self.rows.values() if all(NAMED[by](row) in names for by, names in only.items()))


def scopes_of(row: Used) -> tuple[str, ...]:
    """What its cost is spent by."""
    return (f"client:{row.client}", *((f"team:{row.team}",) if row.team else ()), "global:")


def begin_of(period: Period, at: float) -> float:
    """When the period that `at` is in began; 0 for the one that never ends."""
    day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.DAY:
            return day.timestamp()
        case Period.WEEK:
            return (day - timedelta(days=day.weekday())).timestamp()
        case Period.MONTH:
            return day.replace(day=1).timestamp()
        case Period.ALL:
            return 0.0


def summed(rows: Sequence[Used], group: Mapping[By, str], at: float | None) -> UsageSum:
    """What these rows come to."""
    return UsageSum(
        group=group,
        at=at,
        requests=len(rows),
        failed=sum(row.outcome == "failed" for row in rows),
        cancelled=sum(row.outcome == "cancelled" for row in rows),
        fresh_input=sum(row.fresh_input for row in rows),
        cache_read=sum(row.cache_read for row in rows),
        cache_write=sum(row.cache_write for row in rows),
        output=sum(row.output for row in rows),
        reasoning=sum(row.reasoning for row in rows),
        microdollars=sum(row.microdollars or 0 for row in rows),
        unpriced=sum(row.microdollars is None for row in rows),
        ms=sum(row.ms for row in rows),
        first_ms=sum(row.first_ms or 0.0 for row in rows),
        first_count=sum(row.first_ms is not None for row in rows),
    )


def _begin_of_by(by: Sequence[By], at: float) -> float | None:
    """When the shortest time that is summed up by, and that `at` is in, began."""
    if By.HOUR in by:
        return at - at % 3600
    for one, period in ((By.DAY, Period.DAY), (By.MONTH, Period.MONTH)):
        if one in by:
            return begin_of(period, at)
    return None
