"""What is remembered of the limits that providers tell of, and for how long it is believed."""

import pytest

from isthmus.core.quota import Quota, Told, Window
from isthmus.routing import quotas
from isthmus.routing.health import Place
from isthmus.routing.quotas import UNSAID, Quotas

PLACE = Place("one", "a", "m")
TOLD = ((b"remaining", b"1"),)


def telling(*windows: Window, now: float = 100.0) -> Quotas:
    found = Quotas(lambda told, time: windows)
    found.told(PLACE, TOLD, now, 1_700_000_000.0)
    return found


def test_less_than_a_tenth_is_nearly_used_up() -> None:
    assert telling(Window("requests", 9, 100, 30)).near(PLACE, 100)
    assert not telling(Window("requests", 10, 100, 30)).near(PLACE, 100)


def test_one_limit_of_several_is_enough() -> None:
    assert telling(Window("requests", 90, 100, 30), Window("tokens", 1, 100, 30)).near(PLACE, 100)


def test_when_the_window_is_over_nothing_is_used_up() -> None:
    told = telling(Window("requests", 0, 100, 30))
    assert told.near(PLACE, 129)
    assert not told.near(PLACE, 130)


def test_of_a_limit_that_is_not_told_only_nothing_is_too_little() -> None:
    assert not telling(Window("requests", 1, None, 30)).near(PLACE, 100)
    assert telling(Window("requests", 0, None, 30)).near(PLACE, 100)


def test_a_window_whose_end_is_not_told_is_a_minute() -> None:
    told = telling(Window("requests", 0, 100))
    assert told.near(PLACE, 100 + UNSAID - 1)
    assert not told.near(PLACE, 100 + UNSAID)


def test_what_is_left_of_windows_is_told_until_each_is_over() -> None:
    told = telling(Window("requests", 0, 100, 30), Window("tokens", 5, 100, 50))
    assert told.of(PLACE, 110) == (Window("requests", 0, 100, 20), Window("tokens", 5, 100, 40))
    assert told.of(PLACE, 130) == (Window("tokens", 5, 100, 20),)


def test_the_newest_word_is_believed() -> None:
    words = iter(((Window("requests", 0, 100, 30),), (Window("requests", 50, 100, 30),)))
    told = Quotas(lambda headers, time: next(words))
    told.told(PLACE, TOLD, 100, 0)
    assert told.near(PLACE, 100)
    told.told(PLACE, TOLD, 101, 0)
    assert not told.near(PLACE, 101)


def test_headers_are_read_once_and_only_when_somebody_asks() -> None:
    read: list[tuple[Told, float]] = []

    def reading(told: Told, time: float) -> Quota:
        read.append((told, time))
        return (Window("requests", 5, 100, 30),)

    told = Quotas(reading)
    told.told(PLACE, TOLD, 100, 7.0)
    assert read == []
    assert told.near(PLACE, 100)
    assert told.of(PLACE, 110) == (Window("requests", 5, 100, 20),)
    assert read == [(TOLD, 7.0)]


def test_a_place_that_never_answered_is_not_used_up() -> None:
    assert not Quotas().near(PLACE, 100)
    assert Quotas().of(PLACE, 100) == ()


def test_there_are_never_more_places_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MOST_PLACES", 2)
    told = Quotas(lambda headers, time: (Window("requests", 0, 100, 30),))
    for name in "abc":
        told.told(Place("one", name, "m"), TOLD, 100, 0)
    assert [told.near(Place("one", name, "m"), 100) for name in "abc"] == [False, True, True]


def test_what_no_configuration_names_is_forgotten() -> None:
    told = telling(Window("requests", 0, 100, 30))
    told.keep(frozenset({"two"}))
    assert not told.near(PLACE, 100)
