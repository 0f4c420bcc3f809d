"""How long a first place is waited for, and how often a second one may be asked."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.routing.hedging import MOST, RECENT, ROUTES, Purses, patience
from isthmus.routing.plan import Hedge

HALF = 0.5


def test_a_route_may_ask_a_second_place_once_its_share_makes_a_whole_one() -> None:
    purses = Purses()
    purses.earn("fast", HALF, 0.0)
    assert not purses.spend("fast", 0.0)
    purses.earn("fast", HALF, 0.0)
    assert purses.spend("fast", 0.0)
    assert not purses.spend("fast", 0.0)


def test_routes_do_not_pay_for_one_another() -> None:
    purses = Purses()
    purses.earn("fast", 1.0, 0.0)
    assert not purses.spend("slow", 0.0)


def test_what_a_quiet_route_has_saved_fades() -> None:
    purses = Purses()
    purses.earn("fast", 1.0, 0.0)
    assert purses.held("fast", RECENT) < HALF


def test_a_purse_holds_only_so_much() -> None:
    purses = Purses()
    for _ in range(1000):
        purses.earn("fast", 1.0, 0.0)
    assert purses.held("fast", 0.0) == MOST


def test_a_flood_of_names_does_not_fill_the_memory() -> None:
    purses = Purses()
    for number in range(ROUTES + 10):
        purses.earn(f"route-{number}", 1.0, 0.0)
    assert len(purses._held) <= ROUTES


@given(
    share=st.floats(0.0, 1.0),
    steps=st.lists(st.tuples(st.floats(0.0, 100.0), st.booleans()), max_size=200),
)
def test_never_more_than_the_share_of_all_requests_is_asked_twice(
    share: float, steps: list[tuple[float, bool]]
) -> None:
    purses, now, twice = Purses(), 0.0, 0
    for asked, (wait, slow) in enumerate(steps, 1):
        now += wait
        purses.earn("fast", share, now)
        twice += slow and purses.spend("fast", now)
        assert twice <= share * asked + 1e-9


def test_the_usual_time_is_waited_but_never_less_than_the_least() -> None:
    hedge = Hedge(least=0.25)
    assert patience(hedge, 2.0) == 2.0
    assert patience(hedge, 0.01) == 0.25


def test_a_place_of_which_nothing_is_known_is_waited_for() -> None:
    assert patience(Hedge(), None) is None
