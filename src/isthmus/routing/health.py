"""Who rests after a failure, until when, and how it comes back.

A place is one model of one provider under one credential; a whole account is the same with the
model left out. After a failure a place rests: as long as the provider asked, within a cap, else
for a time that doubles from one failure in a row to the next. When its time is over, one request
at a time may try it; the first answer ends the rest, the next failure renews it. Time is told in
monotonic seconds. Nothing here is asynchronous, and nothing waits.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from isthmus.core.errors import Kind, Rest
from isthmus.core.value import Value

MOST_PLACES = 50_000
"""Places that are remembered; beyond that the one that is over for the longest time is forgotten."""


class Place(NamedTuple):
    """`credential` is the name of one of the provider's keys; `model` is "" for the account as a whole."""

    provider: str
    credential: str
    model: str = ""

    @property
    def account(self) -> "Place":
        return Place(self.provider, self.credential)


class Patience(Value, frozen=True):
    """Seconds. `hint_cap` bounds what a provider may ask for, `first` and `cap` what doubles without its word."""

    first: float = 1.0
    cap: float = 60.0
    hint_cap: float = 3600.0


class State(Enum):
    """READY: as any other. TRIAL: its rest is over and one request may find out. RESTING: not now."""

    READY = auto()
    TRIAL = auto()
    RESTING = auto()


class Resting(Value, frozen=True):
    """One rest, for whoever wants to know. `until` is in monotonic seconds; `hinted`: the provider named the time."""

    place: Place
    kind: Kind
    until: float
    failures: int
    hinted: bool


class _Record:
    """`failures` in a row; `trying` is when the trial under way began."""

    __slots__ = ("failures", "hinted", "kind", "trying", "until")

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0
        self.kind = Kind.OVERLOADED
        self.hinted = False
        self.trying: float | None = None


class Health:
    """The ledger of rests. A place that never failed takes no room."""

    def __init__(self, patience: Patience = Patience()) -> None:  # noqa: B008  a frozen value
        self._patience = patience
        self._records: dict[Place, _Record] = {}

    @property
    def ailing(self) -> bool:
        """Has any place failed that has not come back? Where none has, every one is READY."""
        return bool(self._records)

    def state(self, place: Place, now: float) -> State:
        """May `place` be asked? Its account's rest is its own."""
        if not self._records:
            return State.READY
        worst = State.READY
        for one in (place, place.account):
            record = self._records.get(one)
            if record is None:
                continue
            if record.until > now or self._tried(record, now):
                return State.RESTING
            worst = State.TRIAL
        return worst

    def rests_until(self, place: Place, now: float) -> float:
        """When `place` may be asked again; `now` when it may already. A trial under way is over when it is over."""
        found = [record.until for one in (place, place.account) if (record := self._records.get(one)) is not None]
        return max([now, *found])

    def hinted(self, place: Place) -> bool:
        """Did the provider itself name the time until which `place` rests?"""
        return any(record.hinted for record in self._of(place))

    def begin(self, place: Place, now: float) -> None:
        """A request goes to `place`. Where its rest is over, this is the one that finds out."""
        if self._records:
            for record in self._of(place):
                record.trying = now

    def succeeded(self, place: Place) -> None:
        """An answer began: the place and its account are well."""
        if self._records:
            self._records.pop(place, None)
            self._records.pop(place.account, None)

    def left(self, place: Place) -> None:
        """The request ended without telling anything of the place: its client went, or was at fault itself."""
        if self._records:
            for record in self._of(place):
                record.trying = None

    def failed(self, place: Place, kind: Kind, rest: Rest, now: float, *, hint: float | None = None) -> None:
        """The request failed by a fault of the place, which rests, or its account. `hint`: seconds it asked for."""
        self.left(place)
        if rest is Rest.NOTHING:
            return
        at = place.account if rest is Rest.CREDENTIAL else place
        record = self._records.get(at)
        if record is None:
            self._make_room()
            record = self._records[at] = _Record()
        record.failures += 1
        record.kind = kind
        record.hinted = hint is not None
        record.until = max(record.until, now + self._length(record.failures, hint))

    def clear(self, place: Place | None = None) -> int:
        """Let `place` (or its account as a whole, or everything) come back at once. How many rests that ended."""
        if place is None:
            ended = len(self._records)
            self._records.clear()
            return ended
        chosen = [one for one in self._records if one == place or (not place.model and one.account == place)]
        for one in chosen:
            del self._records[one]
        return len(chosen)

    def resting(self, now: float) -> Iterator[Resting]:
        """Every rest that is not over yet."""
        for place, record in self._records.items():
            if record.until > now:
                yield Resting(place, record.kind, record.until, record.failures, record.hinted)

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        self._records = {place: record for place, record in self._records.items() if place.provider in providers}

    def _length(self, failures: int, hint: float | None) -> float:
        if hint is not None:
            return min(hint, self._patience.hint_cap)
        return float(min(self._patience.cap, self._patience.first * 2.0 ** min(failures - 1, 30)))

    def _tried(self, record: _Record, now: float) -> bool:
        """Is somebody finding out? Who takes longer than the longest rest without a word counts no more."""
        return record.trying is not None and now - record.trying < self._patience.cap

    def _of(self, place: Place) -> Iterator[_Record]:
        for one in (place, place.account):
            if (record := self._records.get(one)) is not None:
                yield record

    def _make_room(self) -> None:
        if len(self._records) >= MOST_PLACES:
            del self._records[min(self._records, key=lambda place: self._records[place].until)]
