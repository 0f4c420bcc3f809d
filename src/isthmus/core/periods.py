"""For how long a budget is: stretches of the calendar in UTC, numbered so that each moment is in one of them."""

import math
from datetime import UTC, datetime
from enum import StrEnum

DAY = 86_400
"""Seconds. Unix time has no leap seconds, so every day has as many."""
MONDAY = 4
"""Days from 1970-01-01, a Thursday, to the first Monday."""


class Period(StrEnum):
    """For how long a budget is. Days begin at midnight UTC, weeks on Monday, months on the first; ALL never ends."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    ALL = "all"


def number_of(period: Period, at: float) -> int:
    """The number of the period that Unix time `at` is in. The next one's is greater by one."""
    day = math.floor(at / DAY)
    if period is Period.DAY:
        return day
    if period is Period.WEEK:
        return (day - MONDAY) // 7
    if period is Period.MONTH:
        date = datetime.fromtimestamp(at, UTC)
        return (date.year - 1970) * 12 + date.month - 1
    return 0


def begin_of(period: Period, number: int) -> float:
    """The Unix time at which the period of this number begins. Of ALL there is one, from 1970 on, and none after it."""
    if period is Period.DAY:
        return float(number * DAY)
    if period is Period.WEEK:
        return float((number * 7 + MONDAY) * DAY)
    if period is Period.MONTH:
        return datetime(1970 + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()
    return 0.0 if number <= 0 else math.inf


def began(period: Period, at: float) -> float:
    """When the period that Unix time `at` is in began."""
    return begin_of(period, number_of(period, at))


def renews(period: Period, at: float) -> float:
    """When the period after the one that Unix time `at` is in begins; infinity for ALL."""
    return begin_of(period, number_of(period, at) + 1)
