"""From what is written of a provider to the provider itself, and to the same with each of its keys."""

from collections.abc import Mapping

from msgspec.structs import asdict, replace

from isthmus.config.clouds import settings_of
from isthmus.config.hosts import host_of, kind_of
from isthmus.config.keys import named_keys
from isthmus.config.schema_providers import KeyEntry, ProviderEntry
from isthmus.core.secret import Secret
from isthmus.providers.build import build, check_key
from isthmus.providers.provider import Deadlines, Provider


def provider_of(name: str, entry: ProviderEntry) -> Provider:
    """The provider with its first key. Raises ValueError."""
    host = host_of(name, entry)
    if host is None:
        raise ValueError(f"{kind_of(name, entry)} is not a known type of provider")
    first = next(iter(named_keys(entry).values()), None)
    return build(
        host,
        name=name,
        base_url=entry.base_url,
        secret=entry.api_key if first is None else first.key,
        headers=[(header, value.reveal()) for header, value in entry.headers.items()],
        models=entry.models or None,
        deadlines=Deadlines(**asdict(entry.deadlines)),
        proxy=_proxy(entry, first),
        ca_file=entry.ca_file,
        http2=entry.http2,
        settings=settings_of(entry),
        cloud_secret=entry.client_secret,
        issuer=entry.issuer,
        stand_ins=entry.claude_models,
    )


def by_key(provider: Provider, entry: ProviderEntry) -> Mapping[str, Provider]:
    """The provider as each of its keys has it, by the key's name; nothing for one that has no `api-keys`."""
    keyed: dict[str, Provider] = {}
    for name, key in named_keys(entry).items():
        origin = replace(provider.origin, proxy=_proxy(entry, key))
        keyed[name] = replace(provider, secret=check_key(key.key), cloud=None, origin=origin) if keyed else provider
    return keyed


def _proxy(entry: ProviderEntry, key: KeyEntry | None) -> str | None:
    own: Secret | None = key.proxy_url if key is not None else None
    proxy = own if own is not None else entry.proxy_url
    return None if proxy is None else proxy.reveal()
