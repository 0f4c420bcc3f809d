"""A time in words is as good as one in a header."""

import pytest

from isthmus.wire.waits import said_wait, span


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached for gpt-5 on tokens per min (TPM). Please try again in 20s. Visit the site.", 20.0),
        ("Limit 3, Used 3, Requested 1. Please try again in 6m0s.", 360.0),
        ("Please try again in 1.344s.", 1.344),
        ("Please try again in 480ms.", 0.48),
        ("Please try again in 7m12.5s. Need more tokens?", 432.5),
        ("Requests have exceeded the call rate limit. Please retry after 14 seconds.", 14.0),
        ("Please retry in 53.946s.", 53.946),
        ("All accounts rate-limited. Wait 12s", 12.0),
        ("quota exhausted, resets in 2 hours and 5 minutes", 7500.0),
        ("You can try again in 3 days, 4 hours", 273_600.0),
        ("Your quota will reset after 5h4m3s.", 18_243.0),
        ("try again in: 1min", 60.0),
        ("please try again later", None),
        ("try again in a moment", None),
        ("wait for 5 models", None),
        ("at most 60 requests in 60s", None),
        ("try again in 5 streams", None),
        ("", None),
    ],
)
def test_a_message_that_names_a_time_is_understood(message: str, seconds: float | None) -> None:
    assert said_wait(message) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("373.801628ms", 0.373801628), ("5h4m3s", 18_243.0), ("39s", 39.0), ("soon", None), ("", None)],
)
def test_a_time_is_read_in_any_of_its_forms(text: str, seconds: float | None) -> None:
    assert span(text) == (None if seconds is None else pytest.approx(seconds))


def test_a_long_message_is_read_in_no_time() -> None:
    assert said_wait("retry " * 20_000 + "1 1 1 " * 20_000) is None
