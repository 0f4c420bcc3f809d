"""A model's name, which clients choose, stays one part of a path: it leads to no other path, query or header."""

import re

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.build import build
from isthmus.providers.host import Host
from isthmus.providers.provider import Aim, Provider
from isthmus.providers.table import PROVIDERS

NAMES = (
    "../../v1/files",
    "..%2f..%2fv1%2ffiles",
    "m?key=x&alt=media",
    "m#fragment",
    "m:generateContent?",
    "m HTTP/1.1\r\nhost: attacker.example.com\r\n\r\n",
    "m\nx: y",
    "//attacker.example.com/m",
    "@attacker.example.com",
    "\\..\\..\\",
    ".",
    "..",
    "m\x00",
    "mödel\u2028",
)
STEPS = {"", ".", ".."}
ONE_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
AZURE = {"api-version": "2024-10-21"}


def target_of(provider: Provider, aim: Aim) -> str | None:
    """None where the name is none of a model."""
    try:
        return provider.address(aim)[1]
    except GatewayError as refused:
        if refused.kind is Kind.UNKNOWN_MODEL and aim.model in STEPS:
            return None
        raise


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("host", PROVIDERS.values(), ids=lambda host: host.name)
def test_a_models_name_leads_to_no_other_path(host: Host, name: str) -> None:
    url = None if host.base_url else "https://api.example.com/v1"
    settings = AZURE if host.name == "azure" else {}
    built = build(host, name=host.name, base_url=url, secret=Secret("key-0123456789"), settings=settings)
    for operation, dialect in ((one, dialect) for one, spoken in built.dialects.items() for dialect in spoken):
        for stream in (False, True):
            _, plain = built.address(Aim(operation, dialect, "m", stream))
            target = target_of(built, Aim(operation, dialect, name, stream))
            if target is None:
                continue
            path, _, query = target.partition("?")
            assert ONE_PATH.fullmatch(path), path
            assert not STEPS & set(path.split("/")[1:]), path
            assert query == plain.partition("?")[2]


def test_hosts_come_from_configuration_alone() -> None:
    """An aim, which is all that is known of a request, is asked for a path only."""
    built = build(PROVIDERS["gemini"], name="gemini", secret=Secret("key-0123456789"))
    for name in NAMES:
        assert built.address(Aim(Operation.CHAT, "gemini", name))[1].startswith("/v1beta/")
