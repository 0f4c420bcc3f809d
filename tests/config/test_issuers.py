"""Issuers by configuration: those that are known, changed in any field, and others by what is written alone."""

from pathlib import Path

import pytest

from isthmus.config.compile import compile_loaded
from isthmus.config.issuers import AS_THEY_ARE
from isthmus.config.load import Found, parse
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema_accounts import IssuerEntry
from isthmus.config.secrets import Environment
from isthmus.engine.accounts import Account
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.issuer import Claims, SignInFlow
from isthmus.providers.issuers.checked import checked
from isthmus.providers.issuers.table import ISSUERS
from isthmus.providers.provider import CloudKey

OURS = """
accounts:
  issuers:
    ours:
      client-id: isthmus
      authorize-url: https://login.example.com/authorize
      token-url: https://login.example.com/token
      scopes: [openid, email, offline_access]
providers:
  x: {type: compatible, base-url: https://api.example.com/v1, issuer: ours}
"""


def snapshot_of(text: str, **variables: str) -> Snapshot:
    return compile_loaded(parse(text, Found(Path("isthmus.yaml"), "test"), Environment(variables)), ollama=False)


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigProblems) as caught:
        snapshot_of(text)
    return [f"{one.key}: {one.message}" for one in caught.value.problems]


@pytest.mark.parametrize("name", ISSUERS)
def test_every_row_is_one_that_can_be_signed_in_to(name: str) -> None:
    assert checked(ISSUERS[name]).name == name


def test_known_issuers_are_there_without_a_word() -> None:
    assert snapshot_of("").issuers == ISSUERS


def test_an_issuer_of_ones_own_needs_nothing_but_configuration() -> None:
    snapshot = snapshot_of(OURS)
    ours = snapshot.issuers["ours"]
    assert (ours.client_id, ours.token_url) == ("isthmus", "https://login.example.com/token")
    assert ours.flows == (SignInFlow.CODE, SignInFlow.PASTED)
    assert snapshot.providers["x"].issuer == "ours"


def test_where_it_has_an_address_for_device_codes_they_can_be_used() -> None:
    ours = snapshot_of(OURS.replace("scopes:", "device-url: https://login.example.com/device\n      scopes:"))
    assert SignInFlow.DEVICE in ours.issuers["ours"].flows


def test_a_known_issuer_is_changed_in_what_is_said_and_in_nothing_else() -> None:
    text = """
accounts:
  issuers:
    codex:
      client-id: another
      callback-ports: [9999]
      subject-header: X-Account
      claims: {plan: [tier]}
      proxy-url: http://127.0.0.1:3128
"""
    known, changed = ISSUERS["codex"], snapshot_of(text).issuers["codex"]
    assert (changed.client_id, changed.callback_ports) == ("another", (9999,))
    assert (changed.subject_header, changed.proxy) == (b"x-account", "http://127.0.0.1:3128")
    assert changed.claims == Claims(subject=known.claims.subject, plan=("tier",))
    assert (changed.authorize_url, changed.parameters) == (known.authorize_url, known.parameters)


def test_everything_of_an_entry_is_taken_over() -> None:
    assert AS_THEY_ARE | {"claims", "subject_header", "proxy_url"} == set(IssuerEntry.__struct_fields__)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("https://login.example.com/token", "http://login.example.com/token", "must begin with https://"),
        ("https://login.example.com/token", "ftp://login.example.com/token", "is not a base URL"),
        ("https://login.example.com/token", "https://login.example.com/token#x", "holds a fragment"),
        ("client-id: isthmus", 'client-id: ""', "the flow code needs client-id"),
        ("scopes:", "callback-host: example.com\n      scopes:", "must be this machine's"),
        ("scopes:", "callback-path: callback\n      scopes:", "must begin with /"),
        ("scopes:", "callback-ports: [70000]\n      scopes:", "70000 is no port"),
        ("scopes:", "parameters: {state: x}\n      scopes:", "state is set by the sign-in itself"),
        ("scopes:", "files: [../x]\n      scopes:", "is no file below the home folder"),
        ("scopes:", "files: [/etc/x]\n      scopes:", "is no file below the home folder"),
        ("scopes:", "subject-header: 'a b'\n      scopes:", "is no header's name"),
        ("scopes:", "ca-file: nowhere.pem\n      scopes:", "there is no such file"),
        ("scopes:", "proxy-url: nowhere\n      scopes:", "is not a proxy's address"),
        ("scopes:", "flows: [device]\n      scopes:", "the flow device needs device-url"),
        ("issuer: ours", "issuer: our", "'our' is not a known issuer"),
        ("issuer: ours", "issuer: ours, api-key: sk-1", "leave one out"),
    ],
)
def test_what_nobody_could_sign_in_to_is_said_in_words(before: str, after: str, words: str) -> None:
    assert any(words in one for one in problems_of(OURS.replace(before, after)))


def test_vertex_is_asked_under_service_accounts_that_were_taken_in() -> None:
    live = Live(snapshot_of("providers: {vertex: {region: us-central1, project: p, issuer: google-service-account}}"))
    live.sign_in([Account(id="acc_1", issuer="google-service-account", name="robot@example.com")])
    keyed = live.take().snapshot.keyed("vertex", "robot@example.com")
    assert keyed.cloud == CloudKey("account", {"account": "acc_1"})


def test_what_could_not_be_read_is_said_once() -> None:
    (problem,) = problems_of(OURS.replace("client-id: isthmus", "client-id: ${NOBODY_SETS_THIS}"))
    assert "NOBODY_SETS_THIS" in problem


def test_plain_http_is_for_this_machine_alone() -> None:
    text = OURS.replace("https://login.example.com", "http://127.0.0.1:9000")
    assert snapshot_of(text).issuers["ours"].token_url == "http://127.0.0.1:9000/token"


def test_the_usual_variable_of_a_key_is_not_read_where_accounts_are_asked_under() -> None:
    text = OURS.replace("type: compatible, base-url: https://api.example.com/v1", "type: openai")
    assert snapshot_of(text, OPENAI_API_KEY="sk-environment").providers["x"].secret is None
