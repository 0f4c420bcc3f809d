"""From what the configuration says may be asked to the limits that requests are held to, by scope.

A scope is what is limited: "provider:NAME", "key:PROVIDER/KEY", "client:NAME" or "route:NAME".
"""

from collections.abc import Iterator
from types import MappingProxyType

from isthmus.config.keys import named_keys
from isthmus.config.schema import Config
from isthmus.config.schema_providers import AllowanceEntry
from isthmus.core.value import Value
from isthmus.routing.limits import Limit, Measure

MINUTE, DAY = 60, 86_400
MINUTE_PARTS = 12
"""Parts of the window of a minute, which slides; that of a day begins anew at midnight UTC."""
MICRODOLLARS = 1_000_000


class _Window(Value, frozen=True):
    """What one key of the file limits. `scale`: how many of the measure its number stands for."""

    measure: Measure
    span: int
    parts: int = 1
    scale: int = 1


_WINDOWS = MappingProxyType(
    {
        "requests_per_minute": _Window(Measure.REQUESTS, MINUTE, MINUTE_PARTS),
        "tokens_per_minute": _Window(Measure.TOKENS, MINUTE, MINUTE_PARTS),
        "requests_per_day": _Window(Measure.REQUESTS, DAY),
        "tokens_per_day": _Window(Measure.TOKENS, DAY),
        "dollars_per_day": _Window(Measure.MICRODOLLARS, DAY, scale=MICRODOLLARS),
    }
)
"""By the field of an AllowanceEntry."""


def allowances(config: Config) -> dict[str, tuple[Limit, ...]]:
    """The limits of every scope that has any. Those of disabled providers and keys are not there."""
    return {scope: limits for scope, limits in _scopes(config) if limits}


def client_name(name: str, position: int) -> str:
    """What a client is called whose key has this name, or none. `position` counts from 1."""
    return name or f"client-{position}"


def _scopes(config: Config) -> Iterator[tuple[str, tuple[Limit, ...]]]:
    for name, entry in config.providers.items():
        if entry.enabled:
            scope = f"provider:{name}"
            yield scope, _limits(scope, entry, entry.concurrency.most if entry.concurrency else None)
            for label, key in named_keys(entry).items():
                scope = f"key:{name}/{label}"
                yield scope, _limits(scope, key, key.concurrency)
    for position, client in enumerate(config.client_keys, 1):
        scope = f"client:{client_name(client.name, position)}"
        yield scope, _limits(scope, client, client.concurrency)
    for name, route in config.routes.items():
        scope = f"route:{name}"
        yield scope, _limits(scope, AllowanceEntry(), route.concurrency)


def _limits(scope: str, entry: AllowanceEntry, concurrency: int | None) -> tuple[Limit, ...]:
    said = ((window, getattr(entry, field)) for field, window in _WINDOWS.items())
    found = [
        Limit(scope, window.measure, int(number * window.scale), window.span, window.parts)
        for window, number in said
        if number is not None
    ]
    if concurrency is not None:
        found.append(Limit(scope, Measure.RUNNING, concurrency))
    return tuple(found)
