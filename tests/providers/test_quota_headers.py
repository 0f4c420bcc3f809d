"""What the headers of providers say of their limits, in each of the ways they say it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.quota import Told, Window
from isthmus.providers.quota_headers import read_quota, reset_in

NOON = 1_755_777_600.0
"""2025-08-21T12:00:00Z."""


def told(**said: str) -> Told:
    return tuple((name.replace("_", "-").encode(), value.encode()) for name, value in said.items())


def test_openai_tells_of_requests_and_tokens_and_how_long_until_they_are_whole_again() -> None:
    headers = told(
        x_ratelimit_limit_requests="5000",
        x_ratelimit_limit_tokens="160000",
        x_ratelimit_remaining_requests="4999",
        x_ratelimit_remaining_tokens="159976",
        x_ratelimit_reset_requests="12ms",
        x_ratelimit_reset_tokens="6m0s",
    )
    assert read_quota(headers, NOON) == (
        Window("requests", 4999, 5000, 0.012),
        Window("tokens", 159_976, 160_000, 360),
    )


def test_groq_tells_fractions_of_seconds() -> None:
    headers = told(
        x_ratelimit_limit_tokens="18000", x_ratelimit_remaining_tokens="17997", x_ratelimit_reset_tokens="7.66s"
    )
    assert read_quota(headers, NOON) == (Window("tokens", 17_997, 18_000, 7.66),)


def test_anthropic_tells_the_time_of_day() -> None:
    headers = told(
        anthropic_ratelimit_requests_limit="1000",
        anthropic_ratelimit_requests_remaining="999",
        anthropic_ratelimit_requests_reset="2025-08-21T12:00:01Z",
        anthropic_ratelimit_input_tokens_limit="80000",
        anthropic_ratelimit_input_tokens_remaining="0",
        anthropic_ratelimit_input_tokens_reset="2025-08-21T12:00:30Z",
    )
    assert read_quota(headers, NOON) == (
        Window("requests", 999, 1000, 1),
        Window("input tokens", 0, 80_000, 30),
    )


def test_codex_tells_in_percent_and_how_long_its_windows_are() -> None:
    headers = told(
        **{
            "x-codex-primary-used-percent": "100.0",
            "x-codex-primary-window-minutes": "299",
            "x-codex-primary-reset-at": f"{NOON + 3600:.0f}",
            "x-codex-primary-reset-after-seconds": "3599",
            "x-codex-secondary-used-percent": "25",
            "x-codex-secondary-window-minutes": "43200",
            "x-codex-secondary-reset-after-seconds": "86400",
        }
    )
    assert read_quota(headers, NOON) == (Window("5 hours", 0, 1, 3600), Window("30 days", 0.75, 1, 86_400))


def test_codex_tells_nothing_of_a_window_that_there_is_not() -> None:
    headers = told(**{"x-codex-primary-used-percent": "3", "x-codex-secondary-used-percent": "0"})
    assert read_quota(headers, NOON) == (Window("5 hours", 0.97, 1, None),)


def test_a_subscription_tells_which_part_of_its_windows_is_used() -> None:
    headers = told(
        **{
            "anthropic-ratelimit-unified-5h-utilization": "1.02",
            "anthropic-ratelimit-unified-5h-reset": f"{NOON + 3600:.0f}",
            "anthropic-ratelimit-unified-7d-utilization": "0.25",
            "anthropic-ratelimit-unified-7d-reset": f"{NOON + 86_400:.0f}",
        }
    )
    assert read_quota(headers, NOON) == (Window("5 hours", 0, 1, 3600), Window("7 days", 0.75, 1, 86_400))


def test_azure_tells_what_is_left_and_of_what_not() -> None:
    headers = told(x_ratelimit_remaining_requests="19", x_ratelimit_remaining_tokens="19913")
    assert read_quota(headers, NOON) == (Window("requests", 19), Window("tokens", 19_913))


def test_mistral_tells_of_a_minute() -> None:
    headers = told(
        x_ratelimit_limit_req_minute="60",
        x_ratelimit_remaining_req_minute="59",
        x_ratelimit_limit_tokens_minute="50000",
        x_ratelimit_remaining_tokens_minute="47196",
    )
    assert read_quota(headers, NOON) == (Window("requests", 59, 60, 60), Window("tokens", 47_196, 50_000, 60))


def test_mistral_used_to_tell_of_sizes() -> None:
    headers = told(ratelimitbysize_limit="500000", ratelimitbysize_remaining="499900", ratelimitbysize_reset="28")
    assert read_quota(headers, NOON) == (Window("tokens", 499_900, 500_000, 28),)


def test_cerebras_tells_of_a_day_and_a_minute() -> None:
    headers = told(
        x_ratelimit_limit_requests_day="14400",
        x_ratelimit_remaining_requests_day="14399",
        x_ratelimit_reset_requests_day="33011.38",
        x_ratelimit_limit_tokens_minute="60000",
        x_ratelimit_remaining_tokens_minute="59000",
        x_ratelimit_reset_tokens_minute="11.38",
    )
    assert read_quota(headers, NOON) == (
        Window("requests of a day", 14_399, 14_400, 33_011.38),
        Window("tokens", 59_000, 60_000, 11.38),
    )


def test_openrouter_tells_the_milliseconds_since_1970() -> None:
    headers = told(x_ratelimit_limit="20", x_ratelimit_remaining="0", x_ratelimit_reset=f"{(NOON + 45) * 1000:.0f}")
    assert read_quota(headers, NOON) == (Window("requests", 0, 20, 45),)


def test_together_tells_of_tokens_under_a_name_of_its_own() -> None:
    headers = told(x_tokenlimit_limit="3000", x_tokenlimit_remaining="2000", x_ratelimit_reset="1")
    assert read_quota(headers, NOON) == (Window("tokens", 2000, 3000, 60),)


def test_a_provider_that_tells_nothing_is_understood_to() -> None:
    assert read_quota(told(content_type="application/json", date="Thu, 21 Aug 2025 12:00:00 GMT"), NOON) == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("1h2m3s", 3723), ("1d", 86_400), ("250ms", 0.25), ("0", 0), ("2.5", 2.5)],
)
def test_a_wait_is_read_in_every_form(text: str, seconds: float) -> None:
    assert reset_in(text.encode(), NOON) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "nan", "inf", "1y", "2025-08-21T25:00:00Z"])
def test_what_is_no_time_is_left_out(text: str) -> None:
    assert reset_in(text.encode(), NOON) is None


def test_a_time_that_is_over_is_no_wait() -> None:
    assert reset_in(b"2025-08-21T11:59:00Z", NOON) == 0


@given(
    st.lists(st.tuples(st.sampled_from(["x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]), st.text()))
)
def test_no_header_harms(pairs: list[tuple[str, str]]) -> None:
    headers = tuple((name.encode(), value.encode("utf-8", "replace")) for name, value in pairs)
    for window in read_quota(headers, NOON):
        assert window.remaining >= 0
