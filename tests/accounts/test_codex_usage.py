"""What ChatGPT tells of an account's use."""

import pytest

from isthmus.accounts.codex_usage import read_usage
from isthmus.accounts.vendor import READERS
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import UsedWindow
from isthmus.providers.codex import ISSUER

NOW = 1_755_777_600.0
TOLD = b"""{
  "plan_type": "plus",
  "rate_limit": {
    "allowed": true, "limit_reached": false,
    "primary_window":
      {"used_percent": 42, "limit_window_seconds": 18000, "reset_after_seconds": 60, "reset_at": 1755777660},
    "secondary_window": {"used_percent": 104, "limit_window_seconds": 604800, "reset_after_seconds": 86400}
  },
  "credits": {"has_credits": false, "unlimited": false, "balance": null}
}"""


def test_the_plan_and_both_windows_are_told() -> None:
    session = UsedWindow("5 hours", 0.42, NOW + 60, 18_000)
    assert read_usage(TOLD, NOW) == ("plus", (session, UsedWindow("7 days", 1.0, NOW + 86_400, 604_800)))


@pytest.mark.parametrize("body", [b"{}", b'{"rate_limit":null}', b'{"rate_limit":{"primary_window":null}}'])
def test_what_is_not_told_is_left_out(body: bytes) -> None:
    assert read_usage(body, NOW) == (None, ())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"rate_limit":{"primary_window":{"used_percent":"x"}}}'])
def test_what_cannot_be_read_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as failed:
        read_usage(body, NOW)
    assert failed.value.kind is Kind.GARBLED


def test_it_is_read_for_accounts_of_the_issuer() -> None:
    assert READERS[ISSUER] is read_usage
