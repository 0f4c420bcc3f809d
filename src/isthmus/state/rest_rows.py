"""A rest as it is written down: in Unix seconds, and with the fingerprint of its key, so that a new key starts afresh.

Written down is what a provider said: the times that it named, and that it revoked a key. What was found out by failing
is found out again. Never a key, nor the words of an error.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from isthmus.core.errors import Kind
from isthmus.core.value import Value
from isthmus.engine.ports import Clock
from isthmus.routing.health import TRY_EVERY, Health, Place, Resting

Fingerprints = Callable[[], Mapping[Place, str]]
"""Those of the accounts that are configured now."""
_KINDS = frozenset(Kind)


class Row(Value, frozen=True):
    """One rest. `model` is "" for an account as a whole."""

    provider: str
    key: str
    model: str
    kind: str
    since: float
    until: float
    failures: int
    fingerprint: str

    @property
    def place(self) -> Place:
        return Place(self.provider, self.key, self.model)


class RestRows:
    """The rests of `health` as rows, and rows as its rests. `cause` is what is said of rests that come from rows."""

    def __init__(self, health: Health, clock: Clock, fingerprints: Fingerprints, *, cause: str) -> None:
        self.health = health
        self.clock = clock
        self._fingerprints = fingerprints
        self._cause = cause

    def rows(self) -> tuple[Row, ...]:
        """What is to be written down."""
        now, known = self.clock.now(), self._fingerprints()
        offset = self.clock.time() - now
        return tuple(
            _row(one, offset, known[one.place.account])
            for one in self.health.resting(now)
            if (one.hinted or one.kind is Kind.CREDENTIAL_REVOKED) and one.place.account in known
        )

    def restore(self, rows: Iterable[Row]) -> None:
        """Take up rests that are not over, of keys that are still the same."""
        self.health.restore(self._known(rows), self.clock.now())

    def _known(self, rows: Iterable[Row]) -> Iterator[Resting]:
        now, fingerprints = self.clock.now(), self._fingerprints()
        offset = now - self.clock.time()
        for row in rows:
            same = fingerprints.get(row.place.account) == row.fingerprint
            if same and row.kind in _KINDS and row.until + offset > now:
                yield _resting(row, offset, now, self._cause)


def _row(one: Resting, offset: float, fingerprint: str) -> Row:
    return Row(
        provider=one.place.provider,
        key=one.place.credential,
        model=one.place.model,
        kind=one.kind,
        since=round(one.since + offset, 1),
        until=round(one.until + offset, 1),
        failures=one.failures,
        fingerprint=fingerprint,
    )


def _resting(row: Row, offset: float, now: float, cause: str) -> Resting:
    until = row.until + offset
    return Resting(
        place=row.place,
        kind=Kind(row.kind),
        until=until,
        failures=row.failures,
        hinted=row.kind != Kind.CREDENTIAL_REVOKED,
        since=row.since + offset,
        tried_at=now + TRY_EVERY if until - now > TRY_EVERY else None,
        cause=cause,
    )
