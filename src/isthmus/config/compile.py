"""From a checked configuration to the snapshot that the engine runs on."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import asdict, replace

from isthmus.config.about import Switch
from isthmus.config.catalogues import take_shelf
from isthmus.config.clouds import settings_of
from isthmus.config.environment import with_ollama
from isthmus.config.facts import Facts
from isthmus.config.hosts import LOCAL, host_of, kind_of
from isthmus.config.load import Loaded
from isthmus.config.names import targets_of, work_out
from isthmus.config.places import data_dir
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.core.secret import Secret
from isthmus.engine.snapshot import Client, FactsOf, Habits, Limits, Snapshot, as_listed
from isthmus.providers.build import build, check_key
from isthmus.providers.provider import Deadlines, Provider
from isthmus.routing.places import Credential
from isthmus.routing.plan import Route, Tier


def compile_loaded(loaded: Loaded, *, ollama: bool) -> Snapshot:
    """The snapshot of what was loaded. `ollama`: one answers on this machine; used where no file names providers."""
    config = with_ollama(loaded.config) if ollama and loaded.automatic else loaded.config
    facts = Facts(config, take_shelf(data_dir(loaded.environment)))
    return compile_config(config, loaded.source, facts.of)


def compile_config(config: Config, source: str = "defaults", facts: FactsOf = as_listed) -> Snapshot:
    """The snapshot. `source` says where the configuration came from.

    A route loses the targets whose provider is disabled or not there, and is gone when none is left.
    The configuration is one that `load` returned; for any other a ValueError may be raised.
    """
    named = work_out(config).routes
    providers = {name: _provider(name, entry) for name, entry in config.providers.items() if entry.enabled}
    if wants_local(config, providers, named):
        providers[LOCAL] = _provider(LOCAL, ProviderEntry())
    pools = _pools(config, providers)
    return Snapshot(
        providers=MappingProxyType(providers),
        keys=MappingProxyType(pools),
        credentials=MappingProxyType({name: tuple(map(Credential, pool)) for name, pool in pools.items()}),
        routes=MappingProxyType(_reachable(named, providers)),
        clients=MappingProxyType(_clients(config)),
        management=_digest(config.management_key) if config.management_key is not None else None,
        cors=config.cors,
        on_loss=config.on_loss,
        route_on_loss={name: route.on_loss for name, route in config.routes.items() if route.on_loss is not None},
        limits=Limits(**asdict(config.limits)),
        habits=Habits(**asdict(config.habits)),
        facts=facts,
        source=source,
    )


def _pools(config: Config, providers: Mapping[str, Provider]) -> dict[str, Mapping[str, Provider]]:
    """The providers that have several keys, with each of them."""
    pools: dict[str, Mapping[str, Provider]] = {}
    for name, entry in config.providers.items():
        provider = providers.get(name)
        if provider is None or not entry.api_keys:
            continue
        first = {} if entry.api_key is None else {"key-1": provider}
        further = {
            one.name or f"key-{number}": replace(provider, secret=check_key(one.key), cloud=None)
            for number, one in enumerate(entry.api_keys, len(first) + 1)
        }
        pools[name] = MappingProxyType({**first, **further})
    return pools


def wants_local(config: Config, providers: Mapping[str, Provider], routes: Mapping[str, Route]) -> bool:
    """Is the bundled model on? By the switch, or because nothing else is, or because a name leads to it."""
    if LOCAL in config.providers or config.local.enabled is Switch.OFF:
        return False
    if config.local.enabled is Switch.ON or not providers:
        return True
    return any(target.provider == LOCAL for route in routes.values() for target in targets_of(route))


def _provider(name: str, entry: ProviderEntry) -> Provider:
    host = host_of(name, entry)
    if host is None:
        raise ValueError(f"{kind_of(name, entry)} is not a known type of provider")
    return build(
        host,
        name=name,
        base_url=entry.base_url,
        secret=entry.api_key if entry.api_key is not None or not entry.api_keys else entry.api_keys[0].key,
        headers=[(header, value.reveal()) for header, value in entry.headers.items()],
        models=entry.models or None,
        deadlines=Deadlines(**asdict(entry.deadlines)),
        proxy=entry.proxy_url.reveal() if entry.proxy_url else None,
        ca_file=entry.ca_file,
        http2=entry.http2,
        settings=settings_of(entry),
        cloud_secret=entry.client_secret,
    )


def _reachable(routes: Mapping[str, Route], providers: Mapping[str, Provider]) -> dict[str, Route]:
    left = {name: replace(route, tiers=_kept(route.tiers, providers)) for name, route in routes.items()}
    return {name: route for name, route in left.items() if route.tiers}


def _kept(tiers: tuple[Tier, ...], providers: Mapping[str, Provider]) -> tuple[Tier, ...]:
    """The tiers without the targets whose provider is not there."""
    found = []
    for tier in tiers:
        kept = [index for index, target in enumerate(tier.targets) if target.provider in providers]
        if kept:
            targets = tuple(tier.targets[index] for index in kept)
            weights = tuple(tier.weights[index] for index in kept) if tier.weights else ()
            found.append(Tier(targets, tier.strategy, weights))
    return tuple(found)


def _digest(key: Secret) -> bytes:
    return hashlib.sha256(key.reveal().encode()).digest()


def _clients(config: Config) -> dict[bytes, Client]:
    return {
        _digest(entry.key): Client(entry.name or f"client-{number}", entry.on_loss)
        for number, entry in enumerate(config.client_keys, 1)
    }
