"""What is used when no file says which providers there are: keys in the environment, and what runs on this machine."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from isthmus.config.clouds import address_of, with_environment
from isthmus.config.hosts import OLLAMA, host_of, key_of
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.providers.table import PROVIDERS

OLLAMA_ADDRESS = ("127.0.0.1", 11434)
PATIENCE = 0.2
"""Seconds that a server on this machine has to answer."""
ANSWER = 4096
"""Bytes of its answer that are looked at."""


def complete(config: Config, environment: Environment, *, automatic: bool) -> Config:
    """The configuration with the keys that the environment holds, and with its hosts too where that is `automatic`."""
    management = environment.secret("ISTHMUS_MANAGEMENT_KEY") or config.management_key
    named = hosts_with_keys(environment) if automatic else config.providers
    return replace(config, management_key=management, providers=_with_keys(named, environment))


def hosts_with_keys(environment: Environment) -> Mapping[str, ProviderEntry]:
    """Every known host whose usual variable is set, and that of its address where it has one, in the table's order."""
    return {
        name: ProviderEntry()
        for name, host in PROVIDERS.items()
        if host.automatic and host.key_env and environment.secret(*host.key_env) is not None
        if not host.url_env or address_of(host, environment) is not None
    }


def with_ollama(config: Config) -> Config:
    """The configuration and the Ollama on this machine."""
    return replace(config, providers=MappingProxyType({**config.providers, OLLAMA: ProviderEntry()}))


async def ollama_answers(address: tuple[str, int] = OLLAMA_ADDRESS, patience: float = PATIENCE) -> bool:
    """Does an Ollama answer there, within so many seconds? Its root page says so in words."""
    try:
        async with asyncio.timeout(patience):
            return b"Ollama is running" in await _root_page(*address)
    except (OSError, TimeoutError):
        return False


async def _root_page(host: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET / HTTP/1.0\r\nhost: %b:%d\r\n\r\n" % (host.encode(), port))
        page = b""
        while len(page) < ANSWER and (more := await reader.read(ANSWER)):
            page += more
        return page
    finally:
        writer.close()


def _with_keys(providers: Mapping[str, ProviderEntry], environment: Environment) -> Mapping[str, ProviderEntry]:
    return MappingProxyType({name: _with_key(name, entry, environment) for name, entry in providers.items()})


def _with_key(name: str, entry: ProviderEntry, environment: Environment) -> ProviderEntry:
    host = host_of(name, entry)
    keyed = replace(entry, api_key=key_of(name, entry, environment))
    if host is None:
        return keyed
    placed = replace(keyed, base_url=entry.base_url or address_of(host, environment))
    return with_environment(placed, host, environment) if host.settings else placed
