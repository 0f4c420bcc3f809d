"""What the budget of repetitions, and a provider that cannot be reached, leave of one request's way."""

from isthmus.core.errors import RULES, GatewayError, Kind
from isthmus.routing.board import Board
from isthmus.routing.places import Credential, Places
from isthmus.routing.plan import Target, first_of
from isthmus.routing.reasons import NO_RETRIES
from isthmus.routing.retry_budget import RetryBudgetRule
from isthmus.routing.walk import Walk

POOL, TWO = Target("pool", "m"), Target("two", "m")
PLACES = Places({"pool": tuple(map(Credential, "abc")), "two": (Credential("key"),)})
NO_REPETITION = RetryBudgetRule(share=0.0, least=0)


def walk(board: Board, *targets: Target) -> Walk:
    return Walk(first_of(*targets), PLACES, board, patience=5.0)


def way(walk: Walk, board: Board, kind: Kind) -> list[str]:
    """Who is asked when everybody fails with this kind of error, as the engine tells it."""
    asked = []
    while (ask := walk.next(0.0)) is not None:
        asked.append(f"{ask.target.provider}/{ask.credential}")
        error = GatewayError(kind, "no")
        board.health.failed(ask.place, kind, RULES[kind].rest, 0.0)
        if not walk.failed(ask, error, 0.5):
            break
    return asked


def test_without_a_budget_other_providers_are_asked_and_other_keys_are_not() -> None:
    board = Board()
    board.retries.rule = NO_REPETITION
    made = walk(board, POOL, TWO)
    assert way(made, board, Kind.UPSTREAM_LIMITED) == ["pool/a", "two/key"]
    assert set(made.skipped.values()) == {NO_RETRIES}


def test_a_key_that_is_spent_as_a_whole_leads_to_the_next_without_a_budget() -> None:
    board = Board()
    board.retries.rule = NO_REPETITION
    assert way(walk(board, POOL, TWO), board, Kind.QUOTA_SPENT) == ["pool/a", "pool/b", "pool/c", "two/key"]


def test_with_a_budget_every_key_is_asked() -> None:
    board = Board()
    assert way(walk(board, POOL, TWO), board, Kind.UPSTREAM_LIMITED) == ["pool/a", "pool/b", "pool/c", "two/key"]


def test_a_spent_budget_is_nobody_elses() -> None:
    board = Board()
    while board.retries.allows("pool", 0.0):
        board.retries.repeated("pool", 0.0)
    assert way(walk(board, POOL, TWO), board, Kind.OVERLOADED) == ["pool/a", "two/key", "two/key"]


def test_a_provider_that_cannot_be_reached_is_left_at_once() -> None:
    board = Board()
    assert way(walk(board, POOL, TWO), board, Kind.UNREACHABLE)[:2] == ["pool/a", "two/key"]


def test_a_first_request_is_never_refused_by_a_budget() -> None:
    board = Board()
    board.retries.rule = NO_REPETITION
    for _ in range(50):
        ask = walk(board, TWO).next(0.0)
        assert ask is not None


def test_who_may_do_better_at_a_second_try_is_tried_again_when_the_others_rest() -> None:
    board = Board()
    for ask in PLACES.of(POOL):
        board.health.failed(ask.place, Kind.QUOTA_SPENT, RULES[Kind.QUOTA_SPENT].rest, 0.0, hint=600.0)
    made = walk(board, TWO, POOL)
    first = made.next(0.0)
    assert first is not None
    assert made.failed(first, GatewayError(Kind.UPSTREAM_FAULT, "oops"), 1.0)
    again = made.next(0.0)
    assert again is not None
    assert (again.place, again.wait) == (first.place, 0.25)
    assert made.failed(again, GatewayError(Kind.UPSTREAM_FAULT, "oops"), 1.0)
    assert made.next(0.0) is None


def test_who_asks_for_a_longer_patience_than_there_is_is_not_tried_again() -> None:
    board = Board()
    made = walk(board, TWO)
    first = made.next(0.0)
    assert first is not None
    board.health.failed(first.place, Kind.OVERLOADED, RULES[Kind.OVERLOADED].rest, 0.0, hint=60.0)
    made.failed(first, GatewayError(Kind.OVERLOADED, "no", retry_after=60.0), 1.0)
    assert made.next(0.0) is None
