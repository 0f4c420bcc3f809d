"""What a walk would do, told without doing it: every place of a plan, in the order in which it would be asked, and why.

The order is the walk's own: a walk on a board that is set aside was led to its end, as if every place failed. Nothing
is decided here a second time; what is told beside the order is looked up where the walk looks it up.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from isthmus.core.value import Value
from isthmus.routing import reasons
from isthmus.routing.board import Board
from isthmus.routing.health import Place, Resting, State
from isthmus.routing.order import NEAR, Moment
from isthmus.routing.places import Ask, Places, Pool
from isthmus.routing.plan import Strategy, Tier
from isthmus.routing.walk import Walk


class Verdict(StrEnum):
    FIRST = "asked first"
    NEXT = "next"
    SKIPPED = "skipped"


class Candidate(Value, frozen=True, kw_only=True):
    """One place. `tier` counts from 1; `rest` is what keeps it from being asked, if anything; `used` the share of the
    limit that is nearest to its end, None where nothing is limited. `allowed`: its key may serve its model.
    """

    ask: Ask
    tier: int
    strategy: Strategy
    verdict: Verdict
    why: tuple[str, ...]
    state: State
    rest: Resting | None = None
    used: float | None = None
    allowed: bool = True


class View(NamedTuple):
    """Where the walk goes and what it is told: `moment` and `prefer` as it has them, `attempts` tries at most."""

    tiers: Sequence[Tier]
    places: Places
    board: Board
    moment: Moment
    prefer: Place | None
    attempts: int


def candidates(view: View, walk: Walk, asked: Sequence[Ask]) -> tuple[Candidate, ...]:
    """Every candidate: those that would be asked, in their order, then those that would not, and why.

    `walk` was led to its end as if every place failed, and named `asked`.
    """
    reached = {ask.place for ask in asked}
    left = {ask.place: ask for ask in walk.asks if ask.place not in reached}
    return (
        *(_asked(view, walk, number, ask) for number, ask in enumerate(asked)),
        *(_left(view, walk, ask) for ask in left.values()),
        *_refused(view),
    )


def forbidden(whole: View, left: View) -> tuple[Candidate, ...]:
    """The places of the `whole` plan that its client may not use; `left` is what it may."""
    permitted = {ask.place for ask in _everywhere(left)}
    return tuple(
        _out_of_question(whole, ask, reasons.NOT_PERMITTED) for ask in _everywhere(whole) if ask.place not in permitted
    )


def _everywhere(view: View) -> Iterator[Ask]:
    for target in dict.fromkeys(target for tier in view.tiers for target in tier.targets):
        yield from view.places.of(target)


def _asked(view: View, walk: Walk, number: int, ask: Ask) -> Candidate:
    """A place that the walk gets to, if its attempts last."""
    more = []
    if view.board.health.state(ask.place, view.moment.now) is State.RESTING:
        more.append(reasons.WAITED if ask.wait else reasons.LEAST_BAD)
    elif ask.wait:
        more += [walk.skipped.get(ask.place, ""), reasons.WAITED]
    if number >= view.attempts:
        return _candidate(view, ask, Verdict.SKIPPED, [*more, reasons.beyond(view.attempts)])
    return _candidate(view, ask, Verdict.NEXT if number else Verdict.FIRST, more)


def _left(view: View, walk: Walk, ask: Ask) -> Candidate:
    """A place that the walk skips."""
    if view.board.health.state(ask.place, view.moment.now) is State.RESTING:
        return _candidate(view, ask, Verdict.SKIPPED, [reasons.TOO_LONG])
    return _candidate(view, ask, Verdict.SKIPPED, [walk.skipped.get(ask.place, reasons.NO_TURN)])


def _candidate(view: View, ask: Ask, verdict: Verdict, more: Sequence[str]) -> Candidate:
    health, now, share = view.board.health, view.moment.now, view.moment.scales.share
    number, tier = _tier_of(view, ask)
    state = health.state(ask.place, now)
    rest = health.worst(ask.place, now) if state is State.RESTING else None
    used = None if share is None else share(ask.place).most
    why = [reasons.health_words(state, rest, now), *more, *_order_words(view, ask, tier)]
    if used is not None and used >= NEAR:
        why.append(reasons.near_limit(used))
    if view.board.quotas.near(ask.place, now):
        why.append(reasons.NEARLY_SPENT)
    return Candidate(
        ask=ask,
        tier=number,
        strategy=tier.strategy,
        verdict=verdict,
        why=tuple(why),
        state=state,
        rest=rest,
        used=used,
    )


def _order_words(view: View, ask: Ask, tier: Tier) -> Iterator[str]:
    """Why it stands where it does among those of its tier that are as well as it is."""
    if view.prefer == ask.place:
        yield reasons.AFFINITY
    pool = view.places.of(ask.target)
    if isinstance(pool, Pool):
        yield reasons.AS_LISTED if tier.strategy is Strategy.FIRST else reasons.ORDERED[tier.strategy]
        yield reasons.POOLED[pool.strategy]
    elif sum(len(view.places.of(target)) for target in tier.targets) > 1:
        yield reasons.ORDERED[tier.strategy]


def _tier_of(view: View, ask: Ask) -> tuple[int, Tier]:
    """The first tier that the place is in, and its number."""
    return next((number, tier) for number, tier in enumerate(view.tiers, 1) if ask.target in tier.targets)


def _refused(view: View) -> Iterator[Candidate]:
    """The keys that may not serve a target's model."""
    for target in dict.fromkeys(target for tier in view.tiers for target in tier.targets):
        for ask in view.places.refused(target):
            yield _out_of_question(view, ask, reasons.not_allowed(ask.credential, target.model))


def _out_of_question(view: View, ask: Ask, why: str) -> Candidate:
    number, tier = _tier_of(view, ask)
    return Candidate(
        ask=ask,
        tier=number,
        strategy=tier.strategy,
        verdict=Verdict.SKIPPED,
        why=(why,),
        state=view.board.health.state(ask.place, view.moment.now),
        allowed=False,
    )
