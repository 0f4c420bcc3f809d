"""The table of providers is complete and says nothing twice."""

from collections import Counter

import pytest

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.providers.build import build, parse_base
from isthmus.providers.compatible import COMPATIBLE
from isthmus.providers.provider import Aim
from isthmus.providers.table import PROVIDERS, SPECIAL, Host

ROWS = [pytest.param(host, id=host.name) for host in PROVIDERS.values()]


def test_at_least_thirty_compatible_hosts_are_known() -> None:
    assert len(COMPATIBLE) >= 30


def test_no_name_is_given_twice() -> None:
    seen = Counter(host.name for host in (*SPECIAL, *COMPATIBLE))
    assert [name for name, count in seen.items() if count > 1] == []


def test_no_two_hosts_share_a_key_variable() -> None:
    seen = Counter(variable for host in PROVIDERS.values() for variable in host.key_env)
    assert [variable for variable, count in seen.items() if count > 1] == []


def test_no_two_hosts_share_an_address() -> None:
    seen = Counter(host.base_url for host in PROVIDERS.values() if host.base_url is not None)
    assert [url for url, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("host", ROWS)
def test_every_row_builds_for_every_operation(host: Host) -> None:
    url = None if host.base_url else "https://api.example.com/v1"
    built = build(host, name=host.name, base_url=url, secret=Secret("key-0123456789"))
    assert set(built.dialects) >= ({Operation.CHAT, Operation.LIST_MODELS} if host.listed else {Operation.CHAT})
    for operation, dialect in ((one, dialect) for one, spoken in built.dialects.items() for dialect in spoken):
        method, target = built.address(Aim(operation, dialect, "m"))
        assert method in ("GET", "POST")
        assert target.startswith("/")


@pytest.mark.parametrize("host", ROWS)
def test_every_row_away_from_this_machine_is_encrypted_and_asks_for_a_key_or_an_account(host: Host) -> None:
    if host.base_url is None:
        return
    origin, _ = parse_base(host.base_url)
    if origin.host == "127.0.0.1":
        assert host.key_env == ()
    else:
        assert origin.scheme == "https"
        assert host.key_env or host.issuer


@pytest.mark.parametrize("host", ROWS)
def test_a_host_that_cannot_be_asked_for_its_models_names_them_where_they_are_not_the_users_own(host: Host) -> None:
    assert host.listed or host.models or host.url_env


@pytest.mark.parametrize("host", ROWS)
def test_every_dialect_that_a_row_names_has_a_codec(host: Host) -> None:
    spoken = host.spoken
    assert [dialect for dialect in spoken[Operation.CHAT] if (dialect, Operation.CHAT) not in CODECS] == []
    assert [dialect for dialect in spoken.get(Operation.EMBED, ()) if dialect not in EMBED_CODECS] == []
    assert [dialect for dialect in spoken.get(Operation.COUNT_TOKENS, ()) if dialect not in COUNT_CODECS] == []


def test_both_of_googles_variables_switch_gemini_on() -> None:
    assert PROVIDERS["gemini"].key_env == ("GEMINI_API_KEY", "GOOGLE_API_KEY")


def test_variables_that_people_set_for_other_purposes_switch_nothing_on() -> None:
    shared = {"GITHUB_TOKEN", "HF_TOKEN"}
    assert [host.name for host in PROVIDERS.values() if shared & set(host.key_env) and host.automatic] == []
