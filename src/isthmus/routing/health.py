"""Who rests after a failure, until when, and how it comes back.

A place is one model of one provider under one credential; a whole account is the same with the model left out, and a
whole provider with the credential left out too. After a failure a place rests: as long as the provider asked, within
a cap, else for a time that doubles from one failure in a row to the next. When its time is over, one request at a time
may try it; the first answer ends the rest, the next failure renews it. A long rest that a provider asked for is tried
now and then before its end, in case the provider was wrong. Time is told in monotonic seconds. Nothing here is
asynchronous, and nothing waits.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from heapq import nsmallest
from typing import NamedTuple, cast

from isthmus.core.errors import Kind, Rest
from isthmus.core.value import Value

MOST_PLACES = 50_000
"""Places that are remembered; beyond that the one that is over for the longest time is forgotten."""
TRY_EVERY = 600.0
"""Seconds after which a rest that is still to last is tried by one request."""
_NEVER = float("inf")


class Place(NamedTuple):
    """`credential` is the name of one of the provider's keys; each is "" for all of them."""

    provider: str
    credential: str = ""
    model: str = ""

    @property
    def account(self) -> "Place":
        return Place(self.provider, self.credential)

    @property
    def host(self) -> "Place":
        return Place(self.provider)

    def holds(self, other: "Place") -> bool:
        """Is `other` this place, or a part of it?"""
        return (
            self.provider == other.provider
            and self.credential in ("", other.credential)
            and self.model in ("", other.model)
        )


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


class Resting(Value, frozen=True, kw_only=True):
    """One rest, for whoever wants to know.

    `until` and `since` are in monotonic seconds; `tried_at` is when one request may find out before its end, None
    where none may. `failures` are those in a row; `hinted`: the provider named the time. `cause` is for people.
    """

    place: Place
    kind: Kind
    until: float
    failures: int
    hinted: bool
    since: float
    tried_at: float | None = None
    cause: str = ""


class _Fault(NamedTuple):
    """One failure, as `failed` is told of it."""

    kind: Kind
    at: float
    hint: float | None
    since: float | None
    cause: str


class _Record:
    """What is known of one place that failed.

    `at` is its last failure; `trying` is when the trial under way began; `well`: it answers again, and `failures` are
    remembered until an answer ended well.
    """

    __slots__ = ("at", "cause", "failures", "hinted", "kind", "try_at", "trying", "until", "well")

    def __init__(self) -> None:
        self.failures = 0
        self.until = self.at = -_NEVER
        self.kind = Kind.OVERLOADED
        self.hinted = self.well = False
        self.trying: float | None = None
        self.try_at = _NEVER
        self.cause = ""

    def state(self, now: float, longest_trial: float) -> State:
        """Who tries for longer than `longest_trial` counts no more."""
        if self.well:
            return State.READY
        if self.trying is not None and now - self.trying < longest_trial:
            return State.RESTING
        return State.TRIAL if now >= min(self.until, self.try_at) else State.RESTING

    def begin(self, now: float) -> None:
        if not self.well:
            self.trying = now
            if self.try_at != _NEVER:
                self.try_at = now + TRY_EVERY

    def answered(self) -> None:
        self.well, self.hinted, self.trying = True, False, None
        self.until, self.try_at = -_NEVER, _NEVER

    def outlives(self, since: float | None) -> bool:
        """Does an answer that was asked for at `since` tell nothing of a time that the provider named after that?"""
        return self.hinted and since is not None and since < self.at


class Health:
    """The ledger of rests. A place that never failed takes no room.

    `ailing` shows the places that failed and have not come back: where there are none, every one is READY. `changes`
    counts the rests that began, were prolonged or ended, for whoever keeps or shares them.
    """

    def __init__(self, patience: Patience = Patience()) -> None:  # noqa: B008  a frozen value
        self._patience = patience
        self._records: dict[Place, _Record] = {}
        self.ailing: Collection[Place] = self._records
        # To find a Place by the plain tuple that it is takes a third of the time that making one does.
        self._found = cast("Callable[[tuple[str, str, str]], _Record | None]", self._records.get)
        self._ill: dict[str, int] = {}
        self._slow: dict[str, tuple[Place, float]] = {}
        self.changes = 0

    def state(self, place: Place, now: float) -> State:
        """May `place` be asked? Its account's rest is its own, and so is its provider's."""
        if place.provider not in self._ill:
            return State.READY
        worst = State.READY
        for record in self._of(place):
            found = record.state(now, self._patience.cap)
            if found is State.RESTING:
                return found
            if found is State.TRIAL:
                worst = found
        return worst

    def awake(self, target: Place, keys: Sequence[str], start: int, now: float) -> Iterator[int]:
        """The positions of those keys that may be asked for the target, from `start` on and round to it again.

        Its provider is taken to be well. Of thousands that rest, each costs little.
        """
        (provider, _, model), found, cap, size = target, self._found, self._patience.cap, len(keys)
        for number in range(start, start + size):
            position = number if number < size else number - size
            key = keys[position]
            account, place = found((provider, key, "")), found((provider, key, model))
            if (account is None or account.state(now, cap) is not State.RESTING) and (
                place is None or place.state(now, cap) is not State.RESTING
            ):
                yield position

    def soonest(self, target: Place, keys: Sequence[str], count: int, now: float) -> Sequence[int]:
        """The positions of those keys that rest for the target, at most `count` of them, the first to be back in front.

        Those whose rest is over, and which another request is just trying, are among them.
        """
        (provider, _, model), found = target, self._found
        ends: list[tuple[float, int]] = []
        for position, key in enumerate(keys):
            around = found((provider, key, "")), found((provider, key, model))
            resting = [one.until for one in around if one and one.state(now, self._patience.cap) is State.RESTING]
            if resting:
                ends.append((max(resting), position))
        return [position for _, position in nsmallest(count, ends)]

    def rests_until(self, place: Place, now: float) -> float:
        """When `place` may be asked again; `now` when it may already. A trial under way is over when it is over."""
        return max([now, *(record.until for record in self._of(place))])

    def hinted(self, place: Place) -> bool:
        """Did the provider itself name the time until which `place` rests?"""
        return any(record.hinted for record in self._of(place))

    def rests_whole(self, provider: str) -> bool:
        """Did all of `provider` fail, and nothing of it answer since?"""
        record = self._records.get(Place(provider))
        return record is not None and not record.well

    def rests_key(self, place: Place) -> bool:
        """Did the key of `place` fail for all models, and nothing under it answer since?"""
        record = self._found((place[0], place[1], ""))
        return record is not None and not record.well

    def worst(self, place: Place, now: float) -> Resting | None:
        """The rest that keeps `place` from being asked for the longest; None when it may be asked."""
        found = [self._told(at, record) for at, record in self._placed(place) if record.until > now]
        return max(found, key=lambda one: one.until, default=None)

    def begin(self, place: Place, now: float) -> None:
        """A request goes to `place`. Where its rest is over, this is the one that finds out."""
        if place.provider in self._ill:
            for record in self._of(place):
                record.begin(now)

    def answered(self, place: Place, since: float | None = None) -> None:
        """An answer began that was asked for at `since`: nobody rests any more.

        What failed before still counts until an answer `succeeded`. An answer that was asked for before the provider
        named a time does not shorten that.
        """
        if place.provider in self._ill:
            self._slow.pop(place.provider, None)
            for record in self._of(place):
                if not record.well and not record.outlives(since):
                    record.answered()
                    self.changes += 1

    def has_room(self, place: Place, at: float) -> None:
        """The provider itself told at `at` that its limits have room: what it asked for before that is over."""
        for record in self._of(place):
            if record.kind is Kind.UPSTREAM_LIMITED and record.hinted and not record.well and record.at <= at:
                record.answered()
                self.changes += 1

    def succeeded(self, place: Place, since: float | None = None) -> None:
        """An answer that was asked for at `since` came to its end: all is forgotten, but for what was named since."""
        if place.provider in self._ill:
            self._slow.pop(place.provider, None)
            for at, record in self._placed(place):
                if not record.outlives(since):
                    self._drop(at)

    def left(self, place: Place) -> None:
        """The request ended without telling anything of the place: its client went, or was at fault itself."""
        for record in self._of(place):
            record.trying = None

    def failed(
        self,
        place: Place,
        kind: Kind,
        rest: Rest,
        now: float,
        *,
        hint: float | None = None,
        since: float | None = None,
        cause: str = "",
    ) -> None:
        """The request, sent at `since`, failed by a fault of the place, which rests; or its account, or its provider.

        `hint`: seconds it asked for; `cause` is for people. Failures of requests that were sent before the last
        failure that is known of are the same one, and double nothing.
        """
        self.left(place)
        if rest is Rest.NOTHING:
            return
        fault = _Fault(kind, now, hint, since, cause)
        self._rest(_SCOPES[rest](place), fault)
        if kind is Kind.TIMED_OUT:
            self._timed_out(place, fault)

    def clear(self, place: Place | None = None) -> int:
        """Let `place` and its parts (or everything) come back at once. How many rests that ended."""
        chosen = [one for one in self._records if place is None or place.holds(one)]
        return sum(not self._drop(one).well for one in chosen)

    def end(self, place: Place, since: float) -> None:
        """The rest of `place` is over, by the word of somebody else, unless it failed here again after `since`."""
        record = self._records.get(place)
        if record is not None and record.at <= since:
            self._drop(place)

    def resting(self, now: float) -> Iterator[Resting]:
        """Every rest that is not over yet."""
        for place, record in self._records.items():
            if record.until > now:
                yield self._told(place, record)

    def accounts(self) -> frozenset[Place]:
        """All that anything is known of, with the model left out."""
        return frozenset(place.account for place in self._records)

    def failed_by(self, kinds: Container[Kind]) -> Sequence[Place]:
        """Whatever failed last by one of these kinds."""
        return [place for place, record in self._records.items() if record.kind in kinds]

    def restore(self, rests: Iterable[Resting], now: float) -> None:
        """Take over rests that are known from elsewhere, where they last longer than what is known here."""
        latest = now + self._patience.hint_cap
        for one in rests:
            record = self._records.get(one.place) or self._add(one.place)
            if record.until >= min(one.until, latest):
                continue
            record.until, record.at, record.hinted = min(one.until, latest), one.since, one.hinted
            record.kind, record.cause, record.well = one.kind, one.cause, False
            record.failures = max(record.failures, one.failures)
            record.try_at = _NEVER if one.tried_at is None else one.tried_at
            self.changes += 1

    def keep(self, providers: frozenset[str]) -> None:
        """Forget what no configuration names any more."""
        for place in [place for place in self._records if place.provider not in providers]:
            self._drop(place)
        self._slow = {name: one for name, one in self._slow.items() if name in providers}

    def _rest(self, at: Place, fault: _Fault) -> None:
        record = self._records.get(at) or self._add(at)
        if fault.since is None or fault.since >= record.at:
            record.failures += 1
        record.at, record.kind, record.cause, record.well = fault.at, fault.kind, fault.cause, False
        until = fault.at + self._length(fault, record.failures)
        if until >= record.until:
            record.until, record.hinted = until, fault.hint is not None
        record.try_at = fault.at + TRY_EVERY if record.until - fault.at > TRY_EVERY else _NEVER
        self.changes += 1

    def _timed_out(self, place: Place, fault: _Fault) -> None:
        """Two places of one provider that are silent, and no answer of a third in between: so is the provider."""
        other, at = self._slow.get(place.provider, (place, fault.at))
        self._slow[place.provider] = (place, fault.at)
        if other != place and fault.at - at < self._patience.cap:
            self._rest(place.host, fault)

    def _length(self, fault: _Fault, failures: int) -> float:
        if fault.hint is not None:
            return min(fault.hint, self._patience.hint_cap)
        if fault.kind is Kind.CREDENTIAL_REVOKED:
            return self._patience.hint_cap
        return float(min(self._patience.cap, self._patience.first * 2.0 ** min(failures - 1, 30)))

    def _told(self, place: Place, record: _Record) -> Resting:
        return Resting(
            place=place,
            kind=record.kind,
            until=record.until,
            failures=record.failures,
            hinted=record.hinted,
            since=record.at,
            tried_at=None if record.try_at == _NEVER else record.try_at,
            cause=record.cause,
        )

    def _of(self, place: Place) -> list[_Record]:
        """What is known of the place, its account and its provider. Mostly nothing."""
        provider, credential, _ = place
        if provider not in self._ill:
            return []
        found = self._found
        around = (found(place), found((provider, credential, "")), found((provider, "", "")))
        return [record for record in around if record is not None]

    def _placed(self, place: Place) -> list[tuple[Place, _Record]]:
        found = self._records.get
        around = dict.fromkeys((place, place.account, place.host))
        return [(one, record) for one in around if (record := found(one)) is not None]

    def _add(self, place: Place) -> _Record:
        if len(self._records) >= MOST_PLACES:
            self._drop(min(self._records, key=lambda one: self._records[one].until))
        record = self._records[place] = _Record()
        self._ill[place.provider] = self._ill.get(place.provider, 0) + 1
        return record

    def _drop(self, place: Place) -> _Record:
        record = self._records.pop(place)
        self._ill[place.provider] -= 1
        if not self._ill[place.provider]:
            del self._ill[place.provider]
        self.changes += not record.well
        return record


_SCOPES: Mapping[Rest, Callable[[Place], Place]] = {
    Rest.TARGET: lambda place: place,
    Rest.CREDENTIAL: lambda place: place.account,
    Rest.PROVIDER: lambda place: place.host,
}
"""What rests: the place, its account, its provider."""
