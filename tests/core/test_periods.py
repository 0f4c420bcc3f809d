"""Days, weeks and months of the calendar: where a moment belongs, and when the next one begins."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.periods import Period, began, begin_of, number_of, renews

MOMENTS = st.floats(0, 4e9)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        (Period.DAY, "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        (Period.WEEK, "2024-02-26T00:00:00", "2024-03-04T00:00:00"),
        (Period.MONTH, "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ],
)
def test_a_moment_is_in_the_period_of_the_calendar_around_it(period: Period, begin: str, end: str) -> None:
    moment = at("2024-02-29T17:30:00")
    assert began(period, moment) == at(begin)
    assert renews(period, moment) == at(end)


def test_a_week_begins_on_monday() -> None:
    assert datetime.fromtimestamp(began(Period.WEEK, at("2025-01-01T00:00:00")), UTC).strftime("%A %d") == "Monday 30"


def test_december_is_followed_by_january() -> None:
    assert renews(Period.MONTH, at("2025-12-31T23:59:59")) == at("2026-01-01T00:00:00")


def test_the_one_that_never_ends_never_renews() -> None:
    assert began(Period.ALL, 1e9) == 0
    assert renews(Period.ALL, 1e9) == math.inf


@given(st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]), MOMENTS)
def test_every_moment_is_in_one_period_and_the_next_follows_at_once(period: Period, moment: float) -> None:
    number = number_of(period, moment)
    assert begin_of(period, number) <= moment < begin_of(period, number + 1)


@given(MOMENTS, st.integers(0, 1000))
def test_numbers_never_fall_with_time(moment: float, days: int) -> None:
    later = moment + timedelta(days=days).total_seconds()
    assert all(number_of(period, moment) <= number_of(period, later) for period in Period)
