"""From what the configuration says may be asked to the limits that requests are held to, by scope.

A scope is what is limited: "provider:NAME", "key:PROVIDER/KEY", "client:NAME", "team:NAME", "global:" or
"route:NAME".
"""

from collections.abc import Iterator

from msgspec.structs import asdict

from isthmus.catalog.tariff import MICRODOLLARS
from isthmus.config.keys import named_keys
from isthmus.config.schema import Config
from isthmus.config.schema_clients import BudgetsEntry
from isthmus.config.schema_providers import AllowanceEntry
from isthmus.engine.allowances import limits_of
from isthmus.engine.records import Allowance, Period
from isthmus.engine.scopes import GATEWAY
from isthmus.routing.limits import Limit

NO_BUDGETS = BudgetsEntry()


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
        yield scope, limits_of(scope, allowance_of(client, client.concurrency, client.budgets))
    for name, team in config.teams.items():
        scope = f"team:{name}"
        yield scope, limits_of(scope, allowance_of(team, team.concurrency, team.budgets))
    yield GATEWAY, limits_of(GATEWAY, allowance_of(AllowanceEntry(), None, config.budgets))
    for name, route in config.routes.items():
        scope = f"route:{name}"
        yield scope, _limits(scope, AllowanceEntry(), route.concurrency)


def allowance_of(entry: AllowanceEntry, concurrency: int | None, budgets: BudgetsEntry = NO_BUDGETS) -> Allowance:
    """What an entry of the file allows."""
    said = {**asdict(budgets), **({} if entry.dollars_per_day is None else {"day": entry.dollars_per_day})}
    return Allowance(
        requests_per_minute=entry.requests_per_minute,
        tokens_per_minute=entry.tokens_per_minute,
        requests_per_day=entry.requests_per_day,
        tokens_per_day=entry.tokens_per_day,
        concurrency=concurrency,
        budgets={Period(name): int(dollars * MICRODOLLARS) for name, dollars in said.items() if dollars is not None},
    )


def _limits(scope: str, entry: AllowanceEntry, concurrency: int | None) -> tuple[Limit, ...]:
    return limits_of(scope, allowance_of(entry, concurrency))
