"""What an issuer gives tokens for, asked over the gateway's own transport of an issuer that is strict."""

import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from msgspec.structs import replace

from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import Person, Trouble
from isthmus.accounts.claims import Told, told_by
from isthmus.accounts.endpoint import Ask, asking
from isthmus.accounts.grants import refreshed
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Deadlines
from isthmus.transport.client import open_transport

TIME = 1_700_000_000.0


@pytest.fixture
def issuer() -> Iterator[StrictIssuer]:
    with open_strict_issuer() as made:
        made.clock = lambda: TIME
        yield made


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    async with open_transport() as transport:
        yield asking(transport)


def tokens_of(issuer: StrictIssuer) -> Tokens:
    """As somebody has them who signed in a while ago."""
    given = issuer.sign_in()
    return Tokens(
        access=Secret(given["access_token"]),
        refresh=Secret(given["refresh_token"]),
        id_token=Secret(given["id_token"]),
        expires_at=TIME,
    )


async def refused(issuer: StrictIssuer, tokens: Tokens, ask: Ask) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await refreshed(row(issuer), tokens, ask, TIME)
    return caught.value


async def test_a_refresh_gives_tokens_that_are_good(issuer: StrictIssuer, ask: Ask) -> None:
    given = await refreshed(row(issuer), tokens_of(issuer), ask, TIME)
    assert given.access is not None
    assert issuer.who(given.access.reveal()) == Person()


async def test_the_rotated_refresh_token_takes_the_place_of_the_old_one(issuer: StrictIssuer, ask: Ask) -> None:
    old = tokens_of(issuer)
    first = await refreshed(row(issuer), old, ask, TIME)
    assert first.refresh != old.refresh
    await refreshed(row(issuer), first, ask, TIME)
    assert issuer.refreshes() == 2


async def test_an_issuer_that_does_not_rotate_leaves_the_refresh_token(issuer: StrictIssuer, ask: Ask) -> None:
    issuer.rotates = False
    old = tokens_of(issuer)
    assert (await refreshed(row(issuer), old, ask, TIME)).refresh == old.refresh


async def test_the_end_of_a_token_is_told_by_our_clock(issuer: StrictIssuer, ask: Ask) -> None:
    given = await refreshed(row(issuer), tokens_of(issuer), ask, TIME)
    assert given.expires_at == TIME + issuer.lifetime


async def test_where_no_lifetime_is_told_the_token_itself_says_it_whatever_the_issuers_clock_shows(
    issuer: StrictIssuer, ask: Ask
) -> None:
    issuer.tells_lifetime, issuer.skew = False, 7200.0
    given = await refreshed(row(issuer), tokens_of(issuer), ask, TIME)
    assert given.expires_at == TIME + issuer.lifetime


async def test_an_issuer_may_take_json_in_place_of_a_form(issuer: StrictIssuer, ask: Ask) -> None:
    issuer.json_tokens = True
    await refreshed(row(issuer), tokens_of(issuer), ask, TIME)
    assert issuer.asked[-1].headers["content-type"] == "application/json"


async def test_scopes_of_a_refresh_are_asked_for_where_there_are_any(issuer: StrictIssuer, ask: Ask) -> None:
    await refreshed(row(issuer), tokens_of(issuer), ask, TIME)
    assert "scope" not in issuer.asked[-1].fields
    await refreshed(row(issuer, refresh_scopes=("openid", "email")), tokens_of(issuer), ask, TIME)
    assert issuer.asked[-1].fields["scope"] == "openid email"


async def test_a_client_with_a_secret_shows_it(issuer: StrictIssuer, ask: Ask) -> None:
    await refreshed(row(issuer, client_secret=Secret("client-secret-1")), tokens_of(issuer), ask, TIME)
    assert issuer.asked[-1].fields["client_secret"] == "client-secret-1"


@pytest.mark.parametrize("openai_words", [False, True])
async def test_a_refresh_token_that_was_used_before_is_revoked_and_its_family_with_it(
    issuer: StrictIssuer, ask: Ask, openai_words: bool
) -> None:
    issuer.openai_words = openai_words
    old = tokens_of(issuer)
    fresh = await refreshed(row(issuer), old, ask, TIME)
    assert (await refused(issuer, old, ask)).kind is Kind.CREDENTIAL_REVOKED
    assert (await refused(issuer, fresh, ask)).kind is Kind.CREDENTIAL_REVOKED


async def test_what_an_issuer_revoked_is_told_as_such(issuer: StrictIssuer, ask: Ask) -> None:
    tokens = tokens_of(issuer)
    issuer.revoke(Person())
    error = await refused(issuer, tokens, ask)
    assert error.kind is Kind.CREDENTIAL_REVOKED
    assert error.message == "The strict issuer takes the account's tokens no more (invalid_grant): sign in again"


async def test_a_wrong_client_is_a_matter_of_the_configuration_and_not_of_the_account(
    issuer: StrictIssuer, ask: Ask
) -> None:
    with pytest.raises(GatewayError, match="invalid_client") as caught:
        await refreshed(row(issuer, client_id="another"), tokens_of(issuer), ask, TIME)
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED


async def test_without_a_refresh_token_nobody_is_asked(issuer: StrictIssuer, ask: Ask) -> None:
    error = await refused(issuer, Tokens(access=Secret("access")), ask)
    assert error.kind is Kind.CREDENTIAL_REVOKED
    assert issuer.asked == []


async def test_an_issuer_that_is_asked_too_often_says_when_to_come_again(issuer: StrictIssuer, ask: Ask) -> None:
    tokens = tokens_of(issuer)
    issuer.troubles.append(Trouble(status=429, retry_after="17"))
    error = await refused(issuer, tokens, ask)
    assert (error.kind, error.retry_after) == (Kind.UPSTREAM_LIMITED, 17.0)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_issuer_that_is_broken_may_be_asked_again(issuer: StrictIssuer, ask: Ask, status: int) -> None:
    tokens = tokens_of(issuer)
    issuer.troubles.append(Trouble(status=status))
    assert (await refused(issuer, tokens, ask)).kind is Kind.OVERLOADED
    assert (await refreshed(row(issuer), tokens, ask, TIME)).access is not None


async def test_a_connection_cut_before_the_rotation_leaves_the_old_token_good(issuer: StrictIssuer, ask: Ask) -> None:
    tokens = tokens_of(issuer)
    issuer.troubles.append(Trouble(drop="before"))
    assert (await refused(issuer, tokens, ask)).kind is Kind.CUT_SHORT
    assert (await refreshed(row(issuer), tokens, ask, TIME)).access is not None


async def test_a_connection_cut_after_the_rotation_is_mended_where_the_issuer_has_grace(
    issuer: StrictIssuer, ask: Ask
) -> None:
    issuer.grace = 60.0
    tokens = tokens_of(issuer)
    issuer.troubles.append(Trouble(drop="after"))
    assert (await refused(issuer, tokens, ask)).kind is Kind.CUT_SHORT
    assert (await refreshed(row(issuer), tokens, ask, TIME)).access is not None


async def test_an_issuer_that_is_silent_is_not_waited_for_without_end(issuer: StrictIssuer) -> None:
    tokens, silence = tokens_of(issuer), threading.Event()
    issuer.troubles.append(Trouble(until=silence))
    async with open_transport() as transport:
        error = await refused(issuer, tokens, asking(transport, Deadlines(first_byte=0.05)))
    silence.set()
    assert error.kind is Kind.TIMED_OUT


async def test_tokens_tell_whose_they_are(issuer: StrictIssuer) -> None:
    assert told_by(row(issuer), tokens_of(issuer)) == Told("ada@example.com", "acc-ada", "plus")


async def test_without_an_id_token_the_access_token_tells(issuer: StrictIssuer) -> None:
    assert told_by(row(issuer), replace(tokens_of(issuer), id_token=None)) == Told("", "acc-ada", "plus")


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.!!.c", "..", "a.W10.c", "a.eyJlbWFpbCI6N30.c"])
def test_tokens_that_are_no_jwt_tell_nothing(token: str) -> None:
    issuer = Issuer(name="x", title="X", client_id="x")
    assert told_by(issuer, Tokens(access=Secret(token), id_token=Secret(token))) == Told()


async def test_no_error_repeats_what_was_sent(issuer: StrictIssuer, ask: Ask) -> None:
    tokens = Tokens(refresh=Secret("refresh-planted-0123456789abcdef"))
    error = await refused(issuer, tokens, ask)
    assert "planted" not in f"{error.message}{error.code}{error!r}{tokens!r}"
