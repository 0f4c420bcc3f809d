"""What is measured of a place, and how it fades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.routing import meters as module
from isthmus.routing.health import Place
from isthmus.routing.meters import ENOUGH, ERROR_HALF_LIFE, ERROR_WEIGHT, HALF_LIFE, WINDOW, Meter, Meters

HERE = Place("one", "key", "m")


def test_a_place_that_was_never_asked_is_unknown() -> None:
    assert Meters().of(HERE) is None
    assert Meters().errors(HERE, 0.0) == 0.0


def test_requests_run_from_their_beginning_to_their_end() -> None:
    meters = Meters()
    first, second = meters.began(HERE, 0.0), meters.began(HERE, 1.0)
    assert first.running == 2
    second.ended()
    assert first.running == 1
    assert first.asked_at == 1.0


def test_streams_and_whole_answers_are_measured_apart() -> None:
    meter = Meter()
    meter.answered(0.5, 0.0, stream=True)
    meter.answered(9.0, 0.0, stream=False)
    assert meter.pace(stream=True) == 0.5
    assert meter.pace(stream=False) == 9.0


def test_a_mean_forgets_half_of_what_was_before_in_a_half_life() -> None:
    meter = Meter()
    meter.answered(1.0, 0.0, stream=True)
    meter.answered(3.0, HALF_LIFE, stream=True)
    assert meter.pace(stream=True) == pytest.approx(2.0)


def test_a_mean_moves_also_while_no_time_goes_by() -> None:
    meter = Meter()
    meter.answered(1.0, 0.0, stream=True)
    meter.answered(17.0, 0.0, stream=True)
    assert meter.pace(stream=True) == pytest.approx(2.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=1, max_size=100))
def test_a_mean_stays_between_the_least_and_the_greatest(measured: list[tuple[float, float]]) -> None:
    meter, now = Meter(), 0.0
    for seconds, later in measured:
        now += later
        meter.answered(seconds, now, stream=True)
    times = [seconds for seconds, _ in measured]
    mean = meter.pace(stream=True)
    assert mean is not None
    assert min(times) - 1e-9 <= mean <= max(times) + 1e-9


def test_nothing_is_said_of_quantiles_before_enough_is_known() -> None:
    meter = Meter()
    for _ in range(ENOUGH - 1):
        meter.answered(1.0, 0.0, stream=True)
    assert meter.quantile(0.5) is None
    meter.answered(1.0, 0.0, stream=True)
    assert meter.quantile(0.5) == 1.0
    assert meter.quantile(0.5, stream=False) is None


def test_quantiles_are_of_the_last_answers_only() -> None:
    meter = Meter()
    for second in range(WINDOW + 10):
        meter.answered(float(second), 0.0, stream=True)
    assert meter.quantile(0.0) == 10.0
    assert meter.quantile(0.5) == 10.0 + WINDOW / 2
    assert meter.quantile(1.0) == WINDOW + 9.0


def test_errors_grow_with_failures_and_shrink_with_answers() -> None:
    meter = Meter()
    meter.failed(0.0)
    once = meter.errors(0.0)
    assert once == ERROR_WEIGHT
    meter.failed(0.0)
    assert once < meter.errors(0.0) < 1.0
    meter.answered(1.0, 0.0, stream=True)
    assert meter.errors(0.0) < ERROR_WEIGHT + once


def test_errors_fade_while_nobody_asks() -> None:
    meter = Meter()
    for _ in range(100):
        meter.failed(0.0)
    assert meter.errors(0.0) == pytest.approx(1.0)
    assert meter.errors(ERROR_HALF_LIFE) == pytest.approx(0.5)
    assert meter.errors(10 * ERROR_HALF_LIFE) < 0.001


def test_places_are_bounded_and_the_one_known_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PLACES", 2)
    meters = Meters()
    oldest = meters.began(HERE, 0.0)
    for name in ("two", "three"):
        meters.began(Place(name, "key", "m"), 0.0)
    assert meters.of(HERE) is None
    oldest.ended()
    assert oldest.running == 0


def test_what_no_configuration_names_is_forgotten() -> None:
    meters = Meters()
    meters.began(HERE, 0.0)
    meters.began(Place("two", "key", "m"), 0.0)
    meters.keep(frozenset({"two"}))
    assert meters.of(HERE) is None
    assert meters.of(Place("two", "key", "m")) is not None
