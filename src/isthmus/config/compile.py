"""From a checked configuration to the snapshot that the engine runs on."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import asdict, replace

from isthmus.config.about import Switch
from isthmus.config.administrators import management_of
from isthmus.config.allowances import allowances
from isthmus.config.caching import cache_rule_of
from isthmus.config.catalogues import take_shelf
from isthmus.config.clients import auth_of, client_keys, clients
from isthmus.config.environment import with_ollama
from isthmus.config.facts import Facts, price_of
from isthmus.config.hosts import CODEX, LOCAL
from isthmus.config.issuers import issuers_of
from isthmus.config.keys import named_keys
from isthmus.config.load import Loaded
from isthmus.config.names import leads_to, naming_of
from isthmus.config.places import data_dir
from isthmus.config.profiles import as_written
from isthmus.config.providers import by_key, provider_of
from isthmus.config.routes import routes_of, targets_of, within_reach
from isthmus.config.schema import Config
from isthmus.config.schema_log import BodiesEntry
from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.schema_routing import AffinityEntry
from isthmus.core.facts import Price
from isthmus.engine.body_rule import BodyRule
from isthmus.engine.compat import Compat
from isthmus.engine.queue import QueueRule
from isthmus.engine.snapshot import AffinityRule, FactsOf, Habits, Limits, Snapshot, as_listed
from isthmus.providers.provider import Provider
from isthmus.providers.table import PROVIDERS
from isthmus.routing.adaptive import AdaptiveRule
from isthmus.routing.order import HybridWeights
from isthmus.routing.places import Credential
from isthmus.routing.plan import Route
from isthmus.routing.retry_budget import RetryBudgetRule

_SWITCHED = MappingProxyType({Switch.AUTO: None, Switch.ON: True, Switch.OFF: False})


def compile_loaded(loaded: Loaded, *, ollama: bool) -> Snapshot:
    """The snapshot of what was loaded. `ollama`: one answers on this machine; used where no file names providers."""
    config = with_ollama(loaded.config) if ollama and loaded.automatic else loaded.config
    facts = Facts(config, take_shelf(data_dir(loaded.environment)))
    snapshot = compile_config(config, loaded.source, facts.of)
    return _with_awaited(snapshot, config) if loaded.automatic and config.store.enabled else snapshot


def compile_config(config: Config, source: str = "defaults", facts: FactsOf = as_listed) -> Snapshot:
    """The snapshot. `source` says where the configuration came from.

    A route loses the targets whose provider is disabled or not there, and is gone when none is left and nothing comes
    after them.
    The configuration is one that `load` returned; for any other a ValueError may be raised.
    """
    enabled = {name: entry for name, entry in config.providers.items() if entry.enabled}
    providers = {name: as_written(provider_of(name, entry), config) for name, entry in enabled.items()}
    if wants_local(config, providers):
        providers[LOCAL] = provider_of(LOCAL, ProviderEntry())
    cache_rule = cache_rule_of(config)
    several = {name: entry for name, entry in config.providers.items() if name in providers and named_keys(entry)}
    return Snapshot(
        providers=MappingProxyType(providers),
        keys=MappingProxyType({name: by_key(providers[name], entry) for name, entry in several.items()}),
        credentials=MappingProxyType({name: _credentials(entry) for name, entry in several.items()}),
        pools=MappingProxyType({name: entry.pool for name, entry in enabled.items() if entry.pool is not None}),
        account_pool=config.routing.pool,
        prices=MappingProxyType(_prices(several)),
        allowances=MappingProxyType(allowances(config)),
        routes=MappingProxyType(_reachable(routes_of(config), providers)),
        naming=naming_of(config),
        clients=MappingProxyType(clients(config)),
        client_keys=client_keys(config),
        auth=auth_of(config),
        management=management_of(config),
        cors=config.cors,
        on_loss=config.on_loss,
        route_on_loss={name: route.on_loss for name, route in config.routes.items() if route.on_loss is not None},
        limits=Limits(**asdict(config.limits)),
        habits=Habits(**asdict(config.habits)),
        weights=HybridWeights(**asdict(config.routing.hybrid_weights)),
        affinity=_affinity(config.routing.affinity),
        cache_rule=cache_rule,
        caching=cache_rule if cache_rule.used else None,
        bodies=_bodies(config.log.bodies),
        retry_budget=RetryBudgetRule(**asdict(config.routing.retry_budget)),
        queue=QueueRule(**asdict(config.routing.queue)),
        metrics_path=config.metrics.path if config.metrics.enabled else None,
        adaptive=MappingProxyType(_adaptive(config, providers)),
        issuers=MappingProxyType(issuers_of(config)),
        facts=facts,
        source=source,
    )


def _with_awaited(snapshot: Snapshot, config: Config) -> Snapshot:
    """With what is there once somebody has signed in. At a listener for those who come for it, it is there before."""
    awaited = dict(_awaited(config))
    wanted = {CODEX} & awaited.keys() if any(one.compat is Compat.CODEX for one in config.listeners) else ()
    there = {name: awaited.pop(name) for name in wanted}
    providers = MappingProxyType({**snapshot.providers, **there})
    return replace(snapshot, providers=providers, awaited=MappingProxyType(awaited))


def _awaited(config: Config) -> Mapping[str, Provider]:
    """The known hosts that nobody need configure, once somebody has signed in to their issuer."""
    names = [name for name, host in PROVIDERS.items() if host.issuer and name not in config.providers]
    return MappingProxyType({name: as_written(provider_of(name, ProviderEntry()), config) for name in names})


def wants_local(config: Config, providers: Mapping[str, Provider]) -> bool:
    """Is the bundled model on? By the switch, or because nothing else is, or because a name leads to it."""
    if LOCAL in config.providers or config.local.enabled is Switch.OFF:
        return False
    if config.local.enabled is Switch.ON or not providers:
        return True
    routed = any(target.provider == LOCAL for route in routes_of(config).values() for target in targets_of(route))
    return routed or leads_to(config, LOCAL)


def _reachable(routes: Mapping[str, Route], providers: Mapping[str, Provider]) -> dict[str, Route]:
    left = {name: within_reach(route, providers) for name, route in routes.items()}
    return {name: route for name, route in left.items() if route.tiers or route.fallbacks}


def _credentials(entry: ProviderEntry) -> tuple[Credential, ...]:
    return tuple(Credential(name, key.models) for name, key in named_keys(entry).items())


def _prices(several: Mapping[str, ProviderEntry]) -> dict[tuple[str, str], Price]:
    return {
        (provider, name): price_of(key.price)
        for provider, entry in several.items()
        for name, key in named_keys(entry).items()
        if key.price
    }


def _affinity(entry: AffinityEntry) -> AffinityRule:
    return AffinityRule(_SWITCHED[entry.enabled], entry.seconds)


def _bodies(entry: BodiesEntry) -> BodyRule | None:
    if not (entry.requests or entry.answers):
        return None
    return BodyRule(
        requests=entry.requests,
        answers=entry.answers,
        clients=entry.clients,
        routes=entry.routes,
        without=entry.without,
        most=entry.most_bytes,
    )


def _adaptive(config: Config, providers: Mapping[str, Provider]) -> dict[str, AdaptiveRule]:
    bounds = {name: entry.concurrency for name, entry in config.providers.items() if name in providers}
    return {name: AdaptiveRule(bound.most, bound.least) for name, bound in bounds.items() if bound and bound.adaptive}
