"""From what the configuration says of kept answers to the engine's rule."""

from types import MappingProxyType

from isthmus.config.schema import Config
from isthmus.engine.caching import CacheRule


def cache_rule_of(config: Config) -> CacheRule:
    """The rule, whether it lets any answer be kept or not."""
    entry = config.cache
    return CacheRule(
        enabled=entry.enabled,
        seconds=entry.seconds,
        most_bytes=entry.most_bytes,
        shared_by=entry.shared_by,
        routes=MappingProxyType(
            {name: (route.cache.enabled, route.cache.seconds) for name, route in config.routes.items() if route.cache}
        ),
        clients=any(client.cache for client in config.client_keys),
    )
