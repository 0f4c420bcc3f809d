"""The address where somebody signs in, and whatever a browser or a person may bring back."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.accounts.callback import Outcome, read_head
from isthmus.accounts.code import Returned, authorize_url_of, read_pasted, read_query, redirect_uri_of
from isthmus.accounts.pkce import challenge_of, new_verifier
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.providers.issuer import Issuer
from isthmus.providers.issuers.table import ISSUERS

CODEX = ISSUERS["codex"]


def test_a_challenge_is_that_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_a_verifier_is_never_the_same_and_has_the_characters_that_it_may() -> None:
    first, second = new_verifier().reveal(), new_verifier().reveal()
    assert first != second
    assert len(first) == 43
    assert first.replace("-", "").replace("_", "").isalnum()


def test_the_address_of_chatgpt_is_that_of_its_own_tool() -> None:
    verifier = Secret("v" * 43)
    url = authorize_url_of(CODEX, "5" * 32, verifier, redirect_uri_of(CODEX, CODEX.callback_ports[0]))
    assert url.startswith("https://auth.openai.com/oauth/authorize?")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "response_type": "code",
        "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
        "redirect_uri": "http://localhost:1455/auth/callback",
        "scope": "openid profile email offline_access",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "state": "5" * 32,
        "id_token_add_organizations": "true",
        "codex_cli_simplified_flow": "true",
        "originator": "isthmus",
        "prompt": "login",
        "max_age": "0",
    }


def test_chatgpt_sends_browsers_back_to_ports_that_its_list_has_first() -> None:
    assert CODEX.callback_ports[:2] == (1455, 1457)
    assert set(CODEX.callback_ports) == set(range(1455, 1461))


def test_an_address_that_has_parameters_keeps_them() -> None:
    known = Issuer(name="x", title="X", client_id="x", authorize_url="https://login.example.com/a?tenant=1")
    url = authorize_url_of(known, "state", Secret("v"), "http://localhost:1/")
    assert url.startswith("https://login.example.com/a?tenant=1&response_type=code&")


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    known = Issuer(name="x", title="X", client_id="x", callback_host="::1")
    assert redirect_uri_of(known, 7) == "http://[::1]:7/auth/callback"


@pytest.mark.parametrize(
    ("said", "code", "state"),
    [
        ("http://localhost:1455/auth/callback?code=abc&state=s", "abc", "s"),
        ("http://localhost:1455/auth/callback?state=s&code=a%2Bb", "a+b", "s"),
        ("http://localhost:1455/auth/callback?code=abc&scope=a+b&state=s#x", "abc", "s"),
        ("code=abc&state=s", "abc", "s"),
        ("abc", "abc", ""),
        ("\tabc\n", "abc", ""),
    ],
)
def test_what_is_pasted_is_read_in_any_form(said: str, code: str, state: str) -> None:
    assert read_pasted(said) == Returned(Secret(code), state)


def test_an_error_comes_before_a_code() -> None:
    assert read_query("code=abc&error=access_denied&state=s") == Returned(None, "s", "access_denied")


@given(st.text(max_size=200) | st.text("code=&?#%state://[]", max_size=40) | st.just("http://[?code=1"))
def test_whatever_is_pasted_is_read_or_refused(said: str) -> None:
    try:
        kind = None if read_pasted(said) else Kind.BUG
    except GatewayError as error:
        kind = error.kind
    assert kind in (None, Kind.INVALID)


@given(st.binary(max_size=200) | st.sampled_from([b"GET /", b" HTTP/1.1", b"\r\n", b"host:", b"[", b"localhost"]))
def test_whatever_is_sent_to_the_listener_is_read_or_refused(head: bytes) -> None:
    assert isinstance(read_head(b"GET /x HTTP/1.1\r\nhost: " + head), str | Outcome)
    assert isinstance(read_head(head), str | Outcome)


def test_nothing_of_what_came_back_is_told_by_its_form() -> None:
    assert "planted" not in repr(read_query("code=planted-0123&state=s"))
