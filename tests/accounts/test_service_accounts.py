"""Service accounts: an assertion that the issuer can check, and key files that are refused in words."""

import base64
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import robot_key
from isthmus.accounts import rsa_keys
from isthmus.accounts.claims import Told, told_by
from isthmus.accounts.endpoint import Ask, asking
from isthmus.accounts.grants import refreshed
from isthmus.accounts.service_account import MOST, assertion_of, service_account_of
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Tokens
from isthmus.transport.client import open_transport

TIME = 1_700_000_000.0
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@pytest.fixture
def issuer() -> Iterator[StrictIssuer]:
    with open_strict_issuer() as made:
        made.clock = lambda: TIME
        yield made


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    async with open_transport() as transport:
        yield asking(transport)


async def test_a_key_file_is_exchanged_for_a_token(issuer: StrictIssuer, ask: Ask) -> None:
    known = row(issuer, scopes=SCOPES)
    tokens = Tokens(service_account=service_account_of(known, issuer.new_robot()))
    given = await refreshed(known, tokens, ask, TIME)
    assert given.access is not None
    assert given.expires_at == TIME + issuer.lifetime
    assert issuer.families[-1].scope == SCOPES[0]


async def test_it_can_be_asked_again_with_what_came_of_it(issuer: StrictIssuer, ask: Ask) -> None:
    known = row(issuer, scopes=SCOPES)
    tokens = Tokens(service_account=service_account_of(known, issuer.new_robot()))
    again = await refreshed(known, await refreshed(known, tokens, ask, TIME), ask, TIME)
    assert again.service_account == tokens.service_account
    assert again.refresh is None


async def test_a_key_that_the_issuer_does_not_know_is_revoked(issuer: StrictIssuer, ask: Ask) -> None:
    known = row(issuer, scopes=SCOPES)
    tokens = Tokens(service_account=service_account_of(known, issuer.new_robot()))
    issuer.robots.clear()
    with pytest.raises(GatewayError) as caught:
        await refreshed(known, tokens, ask, TIME)
    assert caught.value.kind is Kind.CREDENTIAL_REVOKED


async def test_an_audience_that_is_configured_is_named(issuer: StrictIssuer, ask: Ask) -> None:
    issuer.audience = "https://audience.example.com/"
    known = row(issuer, scopes=SCOPES)
    tokens = Tokens(service_account=service_account_of(known, issuer.new_robot()))
    assert (await refreshed(known, tokens, ask, TIME)).access is not None


async def test_the_address_in_the_file_is_not_asked_where_the_issuer_has_one(issuer: StrictIssuer, ask: Ask) -> None:
    known = row(issuer, scopes=SCOPES)
    elsewhere = json.dumps({**json.loads(issuer.new_robot()), "token_uri": "https://elsewhere.example.com/token"})
    await refreshed(known, Tokens(service_account=service_account_of(known, elsewhere)), ask, TIME)
    assert issuer.asked[-1].path == "/oauth/token"


async def test_the_address_in_the_file_counts_where_the_issuer_has_none(issuer: StrictIssuer, ask: Ask) -> None:
    known = row(issuer, scopes=SCOPES, token_url="")
    tokens = Tokens(service_account=service_account_of(known, issuer.new_robot()))
    assert (await refreshed(known, tokens, ask, TIME)).access is not None


async def test_the_keys_id_stands_in_the_header(issuer: StrictIssuer) -> None:
    fields = await assertion_of(row(issuer, scopes=SCOPES), Secret(issuer.new_robot()), TIME)
    header = fields["assertion"].split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}


def test_the_account_is_called_as_its_file_says(issuer: StrictIssuer) -> None:
    tokens = Tokens(service_account=Secret(issuer.new_robot("r@example.com")))
    assert told_by(row(issuer), tokens) == Told("r@example.com", "r@example.com", "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"private_key": "planted"}, "there is no private_key that can be read"),
        ({"private_key": None}, "there is no private_key that can be read"),
        ({"client_email": ""}, "has no client_email"),
        ({"token_uri": "http://planted.example.com/token"}, "must begin with https://"),
        ({"token_uri": ""}, "is not a base URL"),
    ],
)
def test_a_file_that_is_not_complete_is_refused_in_words(
    issuer: StrictIssuer, change: dict[str, str | None], words: str
) -> None:
    text = json.dumps({**json.loads(issuer.new_robot()), **change})
    with pytest.raises(GatewayError, match=words) as caught:
        service_account_of(row(issuer, token_url=""), text)
    assert caught.value.kind is Kind.INVALID


def with_key(issuer: StrictIssuer, key: PrivateKeyTypes) -> str:
    """A key file that holds this key."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({**json.loads(issuer.new_robot()), "private_key": pem})


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 1024), ed25519.Ed25519PrivateKey.generate()])
def test_a_key_that_is_too_small_or_of_another_kind_is_refused(issuer: StrictIssuer, key: PrivateKeyTypes) -> None:
    with pytest.raises(GatewayError, match="is no RSA key of 2048 to 4096 bits"):
        service_account_of(row(issuer), with_key(issuer, key))


def test_a_key_that_is_too_large_is_refused_without_being_tried(
    issuer: StrictIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rsa_keys, "LARGEST", 2047)
    monkeypatch.setattr(rsa_keys, "_PROBE", None)
    with pytest.raises(GatewayError, match="is no RSA key of 2048 to 2047 bits"):
        service_account_of(row(issuer), issuer.new_robot())


def test_a_key_whose_numbers_do_not_agree_is_refused(issuer: StrictIssuer) -> None:
    good = robot_key().private_numbers()
    bad = rsa.RSAPrivateNumbers(
        good.p, good.q, good.d + 2, good.dmp1 + 2, good.dmq1, good.iqmp, good.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    with pytest.raises(GatewayError, match="signs nothing that could be checked"):
        service_account_of(row(issuer), with_key(issuer, bad))


@pytest.mark.parametrize("text", ["", "planted", "[]", "7", "x" * (MOST + 1)])
def test_what_is_no_key_file_is_refused_and_not_repeated(issuer: StrictIssuer, text: str) -> None:
    with pytest.raises(GatewayError) as caught:
        service_account_of(row(issuer), text)
    assert "planted" not in caught.value.message
