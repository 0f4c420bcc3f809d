"""From a host's row and what the user configured to a Provider that the engine can use.

Refuses, with ValueError and words for whoever wrote the configuration: addresses that are no
plain http(s) base URL, and headers or keys that no request could carry.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from urllib.parse import urlsplit

from isthmus.catalog.lookup import profile_of
from isthmus.core.secret import Secret
from isthmus.providers import anthropic, gemini, ollama, openai
from isthmus.providers.host import ANTHROPIC, GEMINI, OLLAMA, OPENAI_CHAT, Host, Location, Place
from isthmus.providers.provider import Address, CloudKey, Deadlines, Origin, Provider
from isthmus.wire.headers import HOP_BY_HOP, Headers

_ADDRESSES: Mapping[str, Callable[[str], Address]] = {
    OPENAI_CHAT: openai.address,
    ANTHROPIC: anthropic.address,
    OLLAMA: ollama.address,
    GEMINI: gemini.address,
}
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_PORTS = {"http": 80, "https": 443}
_OURS = HOP_BY_HOP | {b"host", b"content-length", b"content-type", b"accept-encoding", b"expect"}
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_VISIBLE = range(0x21, 0x7F)


def build(  # noqa: PLR0913  one argument for each key of a provider in the configuration
    host: Host,
    *,
    name: str,
    base_url: str | None = None,
    secret: Secret | None = None,
    headers: Iterable[tuple[str, str]] = (),
    models: Iterable[str] | None = None,
    deadlines: Deadlines | None = None,
    proxy: str | None = None,
    ca_file: str | None = None,
    http2: bool = False,
    settings: Mapping[str, str] = NO_SETTINGS,
    cloud_secret: Secret | None = None,
    issuer: str | None = None,
    stand_ins: Mapping[str, str] | None = None,
) -> Provider:
    """The provider called `name`. What is None or empty is as the host's row says. Raises ValueError."""
    location = locate(host, Place(base_url, settings, keyed=secret is not None))
    origin, prefix = parse_base(location.base_url, proxy=proxy, ca_file=ca_file, http2=http2)
    if origin.port == 0 and base_url:
        raise ValueError(f"{base_url!r} names port 0, which nobody listens on")
    return Provider(
        name=name,
        dialects={**host.spoken, **location.also},
        origin=origin,
        address=location.address(prefix),
        envelope=location.envelope,
        cloud=CloudKey(host.cloud, settings, cloud_secret) if host.cloud and secret is None else None,
        sign=host.sign,
        secret=check_key(secret),
        headers=check_headers(headers),
        quirks=host.quirks,
        profile=partial(profile_of, host.name),
        emulator=host.emulator,
        deadlines=deadlines or Deadlines(),
        models=host.models if models is None else tuple(models),
        listed=host.listed,
        limits_account=host.limits_account,
        kind=host.name,
        may_be_gateway=base_url is not None,
        issuer=host.issuer if issuer is None else issuer,
        stand_ins=host.stand_ins if stand_ins is None else stand_ins,
        models_presumed=models is None,
        stand_ins_presumed=stand_ins is None,
    )


def locate(host: Host, place: Place) -> Location:
    """Where the host is. Raises ValueError, with what to configure, where that cannot be known."""
    if host.locate is not None:
        return host.locate(place)
    url = place.base_url or host.base_url
    if url is None:
        raise ValueError(f"a provider of kind {host.name} has no usual address: give it a base-url")
    return Location(url, _ADDRESSES[host.dialect])


def parse_base(
    url: str, *, proxy: str | None = None, ca_file: str | None = None, http2: bool = False
) -> tuple[Origin, str]:
    """Where to connect, and the path in front of every target ("" or "/v1", never with a slash at its end).

    The origin's host is in lower case, ASCII, and without the brackets of an IPv6 address. Raises ValueError.
    """
    if any(ord(char) not in _VISIBLE and ord(char) < 0x80 for char in url):
        raise ValueError(f"{url!r} holds a space or control character, which no address may")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is not a base URL; write it like https://api.example.com/v1")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a base URL holds no user name or password; give the key as api-key")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} holds a query or fragment, which a base URL may not")
    if not parts.path.isascii():
        raise ValueError(f"the path of {url!r} must be percent-encoded")
    number = _PORTS[parts.scheme] if port is None else port
    return Origin(parts.scheme, _ascii(parts.hostname), number, proxy, ca_file, http2), parts.path.rstrip("/")


def check_key(secret: Secret | None) -> Secret | None:
    """The same key, or ValueError when it cannot stand in a header."""
    if secret is not None and not all(ord(char) in _VISIBLE for char in secret.reveal()):
        raise ValueError("the key holds a space, line break or non-ASCII character; check how it was copied")
    return secret


def check_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """The configured headers as bytes, names in lower case, or ValueError.

    What describes the message or the connection belongs to the transport and is refused.
    """
    return tuple(_check_header(name, value) for name, value in headers)


def _check_header(name: str, value: str) -> tuple[bytes, bytes]:
    key = name.lower().encode()
    if not key or not _TOKEN.issuperset(key):
        raise ValueError(f"{name!r} is not a header's name")
    if key in _OURS:
        raise ValueError(f"the header {name!r} is set by the gateway itself and cannot be configured")
    if any(ord(char) > 0xFF or (ord(char) < 0x20 and char != "\t") or ord(char) == 0x7F for char in value):
        raise ValueError(f"the value of header {name!r} holds a character that no header can carry")
    return key, value.strip().encode("latin-1")


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{host!r} is not a host name: {error}") from error
