"""Whatever an issuer may answer: tokens that a request can carry, a refusal of a known kind, and nothing in between."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.accounts.device import INTERVALS, LONGEST_LIFE, USUAL_INTERVAL, USUAL_LIFE, device_code_of
from isthmus.accounts.endpoint import Ask, Reply
from isthmus.accounts.grants import refreshed
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Outgoing

TIME = 1_700_000_000.0
ISSUER = Issuer(
    name="x",
    title="X",
    client_id="x",
    token_url="https://login.example.com/token?tenant=1",
    device_url="https://login.example.com/device/",
)
OLD = Tokens(access=Secret("old"), refresh=Secret("refresh-planted-0123"))
DEVICE = {"device_code": "planted", "user_code": "ABCD", "verification_uri": "https://login.example.com/device"}


def saying(body: object, status: int = 200) -> Ask:
    """An issuer that answers this to everything."""

    async def ask(_: Outgoing) -> Reply:
        return Reply(status, (), body if isinstance(body, bytes) else json.dumps(body).encode())

    return ask


async def refused(body: object, status: int = 200) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await refreshed(ISSUER, OLD, saying(body, status), TIME)
    assert "planted" not in caught.value.message
    return caught.value


async def given_out(**told: Any) -> Tokens:
    return await refreshed(ISSUER, OLD, saying({"access_token": "new", **told}), TIME)


async def test_the_address_that_is_asked_is_that_of_the_issuer_to_the_letter() -> None:
    asked: list[Outgoing] = []

    async def ask(outgoing: Outgoing) -> Reply:
        asked.append(outgoing)
        return Reply(200, (), json.dumps({"access_token": "new", **DEVICE}).encode())

    await refreshed(ISSUER, OLD, ask, TIME)
    await device_code_of(ISSUER, ask)
    assert [one.target for one in asked] == ["/token?tenant=1", "/device/"]
    assert (asked[0].origin.scheme, asked[0].origin.host) == ("https", "login.example.com")


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (3600, 3600.0),
        ("3600", 3600.0),
        (0.5, 0.5),
        (None, None),
        (0, None),
        (-5, None),
        ("soon", None),
        ("9" * 400, None),
        (1e300, None),
        (True, 1.0),
    ],
)
async def test_a_lifetime_is_a_number_of_seconds_that_makes_sense(told: object, seconds: float | None) -> None:
    ends = (await given_out(expires_in=told)).expires_at
    assert ends == (None if seconds is None else TIME + seconds)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", None])
async def test_a_bearer_token_is_one_however_it_is_written(kind: str | None) -> None:
    assert (await given_out(token_type=kind)).access == Secret("new")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>planted</html>",
        [],
        {},
        {"access_token": None},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "planted\r\nx: y"},
        {"access_token": "plantéd"},
        {"access_token": "x" * 100_000},
        {"access_token": "planted", "token_type": "DPoP"},
    ],
)
async def test_an_answer_without_a_token_that_could_be_sent_is_garbled(body: object) -> None:
    assert (await refused(body)).kind is Kind.GARBLED


async def test_a_refresh_token_that_could_not_be_sent_leaves_the_old_one() -> None:
    assert (await given_out(refresh_token="x\ny")).refresh == OLD.refresh


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid_grant", "error_description": "planted"}),
        (400, {"error": "consent_required"}),
        (401, {"error": {"code": "refresh_token_expired", "message": "planted"}}),
        (401, {"error": {"message": "planted"}}),
        (401, {}),
        (401, b"planted"),
        (403, {"error": "access_denied"}),
        (200, {"error": "bad_refresh_token", "error_description": "planted"}),
        (400, {"error": True, "code": "invalid_grant"}),
    ],
)
async def test_tokens_that_are_taken_no_more_are_revoked(status: int, body: object) -> None:
    assert (await refused(body, status)).kind is Kind.CREDENTIAL_REVOKED


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": "invalid_client"}),
        (400, {"error": "invalid_scope"}),
        (400, {"error": "something_of_its_own"}),
        (400, b"planted"),
        (403, b"<html>planted</html>"),
        (404, {}),
        (200, {"error": {}}),
    ],
)
async def test_what_says_nothing_of_the_tokens_does_not_revoke_them(status: int, body: object) -> None:
    assert (await refused(body, status)).kind is Kind.CREDENTIAL_REJECTED


@pytest.mark.parametrize("status", [301, 302, 307, 204])
async def test_no_redirect_is_followed_with_a_token(status: int) -> None:
    assert (await refused(b"", status)).kind is Kind.GARBLED


@pytest.mark.parametrize("word", ["invalid_grant", "refresh-planted-0123", "planted planted", "p" * 41, "Planted"])
async def test_only_what_is_a_word_is_shown(word: str) -> None:
    said = (await refused({"error": word}, 400)).message
    assert ("(invalid_grant)" in said) == (word == "invalid_grant")


@given(status=st.sampled_from([200, 400, 401, 403, 429, 500]), body=st.binary(max_size=60))
async def test_whatever_is_answered_is_tokens_or_an_error(status: int, body: bytes) -> None:
    with pytest.raises(GatewayError):
        await refreshed(ISSUER, OLD, saying(body, status), TIME)


async def test_a_device_code_has_the_times_of_the_standard_where_none_is_told() -> None:
    device = await device_code_of(ISSUER, saying(DEVICE))
    assert (device.interval, device.lasts) == (USUAL_INTERVAL, USUAL_LIFE)


@pytest.mark.parametrize(("told", "interval"), [(0.01, INTERVALS[0]), (1e9, INTERVALS[1]), (7, 7.0), ("7", 5.0)])
async def test_the_interval_has_bounds(told: object, interval: float) -> None:
    assert (await device_code_of(ISSUER, saying({**DEVICE, "interval": told}))).interval == interval


async def test_a_device_code_does_not_last_for_ever() -> None:
    assert (await device_code_of(ISSUER, saying({**DEVICE, "expires_in": 1e9}))).lasts == LONGEST_LIFE


@pytest.mark.parametrize(
    "change",
    [
        {"device_code": ""},
        {"user_code": None},
        {"user_code": "planted\x1b[31m"},
        {"user_code": "p" * 65},
        {"verification_uri": "http://planted.example.com"},
        {"verification_uri": "javascript:planted"},
        {"verification_uri": "file:///planted"},
        {"verification_uri": ""},
    ],
)
async def test_nobody_is_sent_anywhere_with_a_code_that_makes_no_sense(change: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as caught:
        await device_code_of(ISSUER, saying({**DEVICE, **change}))
    assert caught.value.kind is Kind.GARBLED
    assert "planted" not in caught.value.message
