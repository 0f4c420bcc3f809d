"""The order of the places of one pool: the keys, or accounts, of one provider that stay in line, or that are many.

A pool is looked at from where its strategy begins, and no further than somebody asks: while its keys are well, the
first one is enough, however many stand behind it. What a provider tells of a quota that runs low is no reason to leave
a pool that stays with one key: it is used up to its end.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from msgspec.structs import replace

from isthmus.core.errors import Kind
from isthmus.routing.board import Board
from isthmus.routing.health import Place, Resting, State
from isthmus.routing.places import CROWD, Ask, Asleep, Pool, PoolStrategy

SHORT_REST = 5.0
"""Seconds that a key which a pool stays with, or a conversation, is waited for: another has nothing in its cache."""
PATIENT = frozenset({Kind.UPSTREAM_LIMITED, Kind.OVERLOADED})
"""Failures that a short wait mends."""

LOOK_AGAIN = 0.25
"""Seconds for which many keys that all rest are not looked through again."""
Open: TypeAlias = Callable[[Place], bool]
"""May the place be asked now, as far as limits go?"""


def in_order(
    pool: Pool, board: Board, now: float, may: Open, left: list[Ask], *, bonded: bool = False
) -> Iterator[Ask]:
    """The places of the pool that are well, the one to ask first in front; one that is waited for has the time to wait.

    Those that are not are added to `left`, each when it would have its turn; of many that rest, the first to be back.
    `bonded`: another stands in front of all of them, and nobody's turn is taken.
    """
    health = board.health
    if health.ailing and (resting := _all_rest(pool, board, now)) is not None:
        left += resting
        return
    start = _BEGIN[pool.strategy](pool, board, now)
    patient = waited_for(pool[start], board, now) if pool.stays and health.ailing else None
    if patient is not None:
        yield patient
    takes_turns, well = pool.strategy is PoolStrategy.ROUND_ROBIN and not bonded, False
    for position in _well(pool, board, start, now):
        ask, well = pool[position], True
        if not may(ask.place):
            left.append(ask)
            continue
        if takes_turns:
            board.turns.reach(pool.target.provider, position)
            takes_turns = False
        yield ask
    if health.ailing:
        soonest = health.soonest(pool.at, pool.own.names, CROWD, now)
        left += [pool[position] for position in soonest if patient is None or position != start]
        if len(pool) > CROWD and patient is None and not well:
            pool.asleep = Asleep(health.changes, now + LOOK_AGAIN, left[len(left) - len(soonest) :])


def _all_rest(pool: Pool, board: Board, now: float) -> Sequence[Ask] | None:
    """Those that are back first, where all are known to rest; None where that is not known."""
    health, asleep = board.health, pool.asleep
    if asleep is not None and asleep.changes == health.changes and now < asleep.until:
        return asleep.first
    return pool[:CROWD] if health.state(pool.host, now) is State.RESTING else None


def _well(pool: Pool, board: Board, start: int, now: float) -> Iterable[int]:
    """The positions of those that do not rest, from `start` on and round to it again."""
    if board.health.ailing:
        return board.health.awake(pool.at, pool.own.names, start, now)
    return chain(range(start, len(pool)), range(start))


def waited_for(ask: Ask, board: Board, now: float) -> Ask | None:
    """The same, asked when its rest is over, where that is a short one that the provider asked for; else None.

    Nor is it waited for where somebody waited in vain: it has more requests than it can take.
    """
    rest = board.health.worst(ask.place, now)
    if rest is None or not rest.hinted or rest.kind not in PATIENT or rest.failures > 1:
        return None
    if rest.until - now > SHORT_REST:
        return None
    return replace(ask, wait=rest.until - now)


def _in_turn(pool: Pool, board: Board, now: float) -> int:  # noqa: ARG001  one of _BEGIN
    return board.turns.after(pool.target.provider, len(pool))


def _at_first(pool: Pool, board: Board, now: float) -> int:  # noqa: ARG001  one of _BEGIN
    return 0


def _at_held(pool: Pool, board: Board, now: float) -> int:
    """Where the held key stands; where that rests for long, or is gone, the next one that is well is held from now on.

    The limit of one model, or a key that is not for this one, moves nothing: the others are asked under it all the
    same.
    """
    provider, whole, turns = pool.target.provider, pool.whole, board.turns
    held = turns.held_key(provider, whole.first)
    if not board.health.ailing and (position := pool.own.position(held)) is not None:
        return position
    if whole.position(held) is not None and not _left_behind(board.health.worst(Place(provider, held), now), now):
        return pool.own.position(held) or 0
    start = _after(pool, held)
    found = next((one for one in _well(pool, board, start, now) if _is_ready(pool[one], board, now)), None)
    if found is None:
        found = next(iter(_well(pool, board, start, now)), None)  # whose rest is over, as a trial has to show
    if found is None:
        return start
    turns.hold_key(provider, whole.first, pool[found].credential)
    return found


def _is_ready(ask: Ask, board: Board, now: float) -> bool:
    return board.health.state(ask.place, now) is State.READY


def move_on(pool: Pool, ask: Ask, board: Board, now: float) -> None:
    """One of the pool is asked after another failed: it is held from now on, if the held one is left behind by that."""
    provider, whole = pool.target.provider, pool.whole
    held = board.turns.held_key(provider, whole.first)
    if held != ask.credential and _left_behind(board.health.worst(Place(provider, held), now), now):
        board.turns.hold_key(provider, whole.first, ask.credential)


def _after(pool: Pool, held: str) -> int:
    """Where the circle goes on behind `held`."""
    position = pool.own.position(held)
    return 0 if position is None else (position + 1) % len(pool)


def _left_behind(rest: Resting | None, now: float) -> bool:
    """Does the account itself rest, and longer than it is waited for?"""
    return rest is not None and bool(rest.place.credential) and rest.until - now > SHORT_REST


_BEGIN: Mapping[PoolStrategy, Callable[[Pool, Board, float], int]] = {
    PoolStrategy.ROUND_ROBIN: _in_turn,
    PoolStrategy.STICKY: _at_held,
    PoolStrategy.FILL_FIRST: _at_first,
}
"""The position at which each strategy begins."""
