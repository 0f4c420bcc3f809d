"""The order in which the places of a plan are asked by one request. Pure: it is told the time, and never waits.

Places that are well come first, in the plan's order; the keys of one provider take turns. When none
of them is left, a place that rests without having said for how long is better than nothing; one that
named a time is waited for, if that is short. A place that asks for a moment's patience is given it
before another is asked, so that a cache is not lost for a second's sake.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Rest, Then
from isthmus.routing.board import Board
from isthmus.routing.health import Place, State
from isthmus.routing.order import Moment, line_up
from isthmus.routing.places import Ask, Places, Pool
from isthmus.routing.plan import Tier
from isthmus.routing.pooled import has_pool, one_by_one
from isthmus.routing.pools import PATIENT, SHORT_REST, move_on
from isthmus.routing.reasons import NO_RETRIES, health_words, no_room

SHORT = 3.0
"""Seconds that a place which names the time of its rest is waited for, before another one is asked."""
ONCE_MORE = 1
"""Tries that one request may repeat at a place where it failed."""
BASE = 0.25
"""Seconds before such a repetition, at most, where the place names no time."""
READ_AHEAD = 8
"""Places of pools that are lined up at once; more of them when somebody asks."""


class Walk:
    """One request's way. `patience` is how many seconds it may wait in all for places that rest.

    `moment` is the request, as strategies see it; `prefer` a place that comes first in its tier while it is well.
    `lone` is the only place, where there is no other, and then nothing is lined up.
    `asks` are all places in the order that was made of them at the beginning, but of pools as far as anybody looked;
    `skipped` are those that were not asked when it was their turn, and why.

    Inside, `_line` are those that are not lined up yet, `_tried` places that are not asked again but for a reason, all
    in front of `_begin` among them; `_failed_at` are providers at which this request failed, `_shut` those that are
    whole out of reach; `_repeat` is asked next, since it asked for a moment's patience, and `_last` when nobody else is
    left. A place without room comes again once, when it has some (`_full`, `_room_at`), or when one is `freed`
    (`_busy`).
    """

    __slots__ = (
        "_begin",
        "_board",
        "_busy",
        "_failed_at",
        "_full",
        "_health",
        "_last",
        "_line",
        "_patience",
        "_places",
        "_prefer",
        "_repeat",
        "_repeats",
        "_retries",
        "_room_at",
        "_shut",
        "_tried",
        "asks",
        "skipped",
    )

    def __init__(
        self,
        tiers: Sequence[Tier],
        places: Places,
        board: Board,
        *,
        patience: float,
        moment: Moment = Moment(),  # noqa: B008  a frozen value
        prefer: Place | None = None,
        lone: Ask | None = None,
    ) -> None:
        self.asks: list[Ask] = []
        self._line: Iterator[Ask] | None = None
        if lone is not None:
            self.asks.append(lone)
        elif places.pooled:
            self._line_up(tiers, places, board, moment, prefer)
        else:
            for tier in tiers:
                asks = [places.of(target) for target in tier.targets]
                self.asks += line_up(tier, asks, board, moment, prefer=prefer)
        self.skipped: dict[Place, str] = {}
        self._places = places
        self._prefer = prefer
        self._board = board
        self._health = board.health
        self._retries = board.retries
        self._patience = patience
        self._tried: set[Place] = set()
        self._begin = 0
        self._failed_at: set[str] = set()
        self._shut: set[str] = set()
        self._full: dict[Place, tuple[float, Ask] | None] = {}
        self._room_at: dict[Place, float] = {}
        self._busy: set[Place] = set()
        self._repeat: Ask | None = None
        self._last: Ask | None = None
        self._repeats = 0

    def next(self, now: float) -> Ask | None:
        """Whom to ask now, or None when nobody is left."""
        if self.asks and not self._tried and not self._health.ailing:  # mostly
            return self._taken(self.asks[0])
        repeat, self._repeat = self._repeat, None
        if repeat is not None and (again := self._once_more(repeat, now)) is not None:
            return again
        fresh: list[Ask] = []
        for ask in self._untried(now):
            state = self._health.state(ask.place, now)
            if state is not State.RESTING or 0 < ask.wait <= self._patience:
                if self._tried:
                    self._move_on(ask, now)
                return self._taken(ask)
            fresh.append(ask)
            self.skipped[ask.place] = health_words(state, self._health.worst(ask.place, now), now)
        return None if self._busy else self._least_bad(fresh, now) or self._once_more(self._last, now)

    def took(self, ask: Ask) -> None:
        """`ask` was sent before there was a walk, for there was no choice."""
        self._tried.add(ask.place)

    def beside(self, now: float) -> Ask | None:
        """Whom to ask while another is slow: the next place that is well, or None where there is none.

        A second one of the same provider is a repetition, which that one's budget must have room for.
        """
        asked = {place.provider for place in self._tried}
        for ask in self._from(0):
            provider = ask.target.provider
            if ask.place in self._tried or self._health.state(ask.place, now) is not State.READY:
                continue
            if provider not in asked or self._retries.allows(provider, now):
                return self._taken(ask)
        return None

    def failed(self, ask: Ask, error: GatewayError, jitter: float) -> bool:
        """May the walk go on after this failure? `jitter` is between 0 and 1."""
        if error.rule.then is Then.STOP:
            return False
        provider = ask.target.provider
        if not self._health.rests_key(ask.place):
            self._failed_at.add(provider)
        if error.rule.rest is Rest.PROVIDER and self._health.rests_whole(provider):
            self._shut.add(provider)
        self._last, hint = None, error.retry_after
        short = SHORT_REST if ask.place == self._prefer or self._places.stays(provider) else SHORT
        if hint is not None and hint <= short and error.kind in PATIENT:
            self._repeat = replace(ask, wait=hint)
        elif error.rule.then is Then.AGAIN:
            self._last = replace(ask, wait=BASE * (0.5 + jitter / 2) if hint is None else hint)
        return True

    def refused(self, ask: Ask, wait: float, now: float, *, limit: str) -> None:
        """A limit of ours has no room for `ask`, which was not sent. It comes again, once, if `wait` is short.

        `limit` says in words which one; `wait` is 0 for a place that is only busy, until `freed`.
        """
        self.skipped[ask.place] = no_room(limit)
        self._room_at[ask.place] = now + wait
        if wait == 0:
            self._busy.add(ask.place)
        elif 0 < wait <= self._patience and ask.place not in self._full:
            self._full[ask.place] = now + wait, ask

    def freed(self) -> None:
        """One of the places that were busy may be free: all of them may be asked again."""
        self._tried -= self._busy
        self._begin = 0
        self._busy.clear()

    def rests(self, now: float) -> float:
        """Seconds until the first of all places is well again and has room."""
        first: float | None = None
        for ask in self._from(0):
            end = max(self._health.rests_until(ask.place, now), self._room_at.get(ask.place, now))
            first = end if first is None else min(first, end)
            if end <= now:
                break
        return 0.0 if first is None else first - now

    def _line_up(
        self, tiers: Sequence[Tier], places: Places, board: Board, moment: Moment, prefer: Place | None
    ) -> None:
        """All places in their order. Where a pool is among them, and behind it, only the first of them."""
        for tier in tiers:
            pools = [places.of(target) for target in tier.targets]
            if has_pool(pools):
                found = one_by_one(tier, pools, board, moment, prefer=prefer)
                self._line = found if self._line is None else chain(self._line, found)
            elif self._line is None:
                self.asks += line_up(tier, pools, board, moment, prefer=prefer)
            else:
                self._line = chain(self._line, line_up(tier, pools, board, moment, prefer=prefer))
        if self._line is not None:
            self.asks += islice(self._line, READ_AHEAD)

    def _from(self, number: int) -> Iterator[Ask]:
        """The places in their order, behind the first `number` of them."""
        while True:
            if number >= len(self.asks):
                ask = None if self._line is None else next(self._line, None)
                if ask is None:
                    return
                self.asks.append(ask)
            yield self.asks[number]
            number += 1

    def _untried(self, now: float) -> Iterator[Ask]:
        """Those that this request may still be sent to."""
        while self._begin < len(self.asks) and self.asks[self._begin].place in self._tried:
            self._begin += 1
        for ask in self._from(self._begin):
            if ask.place not in self._tried and ask.target.provider not in self._shut and self._may_ask(ask, now):
                yield ask

    def _may_ask(self, ask: Ask, now: float) -> bool:
        """Where this request failed before, by more than a key, the provider's budget of repetitions must have room."""
        provider = ask.target.provider
        if provider not in self._failed_at or self._retries.allows(provider, now):
            return True
        self.skipped[ask.place] = NO_RETRIES
        return False

    def _once_more(self, ask: Ask | None, now: float) -> Ask | None:
        """The place that has just failed, where it may be asked a second time: for its word, or for want of others."""
        if ask is None or self._repeats >= ONCE_MORE or ask.wait > self._patience:
            return None
        if not self._retries.allows(ask.target.provider, now):
            self.skipped[ask.place] = NO_RETRIES
            return None
        self._repeats += 1
        return self._taken(ask)

    def _least_bad(self, fresh: Sequence[Ask], now: float) -> Ask | None:
        rests = [(self._health.rests_until(ask.place, now) - now, ask) for ask in fresh]
        unnamed = [pair for pair in rests if not self._health.hinted(pair[1].place)]
        if unnamed:
            return self._taken(min(unnamed, key=lambda pair: pair[0])[1])
        rests += [(max(0.0, until - now), ask) for until, ask in filter(None, self._full.values())]
        wait, ask = min(rests, key=lambda pair: pair[0], default=(0.0, None))
        if ask is None or wait > self._patience:
            return None
        if ask.place in self._full:
            self._full[ask.place] = None
        return self._taken(replace(ask, wait=wait))

    def _move_on(self, ask: Ask, now: float) -> None:
        """The key that a pool holds may have just failed."""
        pool = self._places.of(ask.target)
        if isinstance(pool, Pool) and pool.stays:
            move_on(pool, ask, self._board, now)

    def _taken(self, ask: Ask) -> Ask:
        self._tried.add(ask.place)
        self._patience -= ask.wait
        return ask
