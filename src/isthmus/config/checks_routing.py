"""What must hold of routes, of whom they name, and between the limits of what may be asked. Notes every problem."""

import re
from collections.abc import Iterator, Sequence

from isthmus.config.allowances import client_name
from isthmus.config.problems import Path, misspelt, nearest
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.schema_routing import BranchEntry, ChoiceEntry, TargetEntry, WhenEntry
from isthmus.engine.clients import ANYONE
from isthmus.routing.plan import Strategy

TINY = 1e-9
"""What a sum of shares may be off by."""
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def check_routes(config: Config, known: Sequence[str], reading: Reading) -> None:
    """Every route, and each of its branches, leads to targets at providers that are `known`."""
    for name, route in config.routes.items():
        path: Path = ("routes", name)
        if name in config.aliases:
            reading.note(("aliases", name), "is also a route; a name can be only one of them", at_key=True)
        strategy = route.strategy or config.routing.strategy
        _check_choice(path, route, strategy, known, reading)
        for index, branch in enumerate(route.branches):
            at = reading.item((*path, "branches"), index)
            _check_choice(at, branch, branch.strategy or strategy, known, reading)
            _check_branch(at, branch, config, reading)
        _check_shares((*path, "branches"), route.branches, reading)
        if route.shadow is not None:
            _check_provider((*path, "shadow", "target"), route.shadow.target, known, reading)


def check_bounds(name: str, entry: ProviderEntry, reading: Reading) -> None:
    bounds = entry.concurrency
    if bounds is not None and bounds.least > bounds.most:
        reading.note(("providers", name, "concurrency", "least"), "is more than the most that may run")


def _check_choice(path: Path, entry: ChoiceEntry, strategy: Strategy, known: Sequence[str], reading: Reading) -> None:
    """Targets or tiers, not both; none of them empty."""
    if entry.tiers:
        if entry.targets:
            reading.note((*path, "tiers"), "stands beside targets; put those into a tier of their own", at_key=True)
        for index, tier in enumerate(entry.tiers):
            at = reading.item((*path, "tiers"), index)
            _check_targets(at, tier.targets, tier.strategy or strategy, known, reading)
    if not entry.tiers or entry.targets:
        _check_targets(path, entry.targets, strategy, known, reading)


def _check_targets(
    path: Path, targets: Sequence[TargetEntry], strategy: Strategy, known: Sequence[str], reading: Reading
) -> None:
    """They are there, and their weights mean something. `path` is that of what holds them."""
    below = _below(path, "targets", reading)
    unread = (*below, 0) in reading.values or (*path, "tiers", 0) in reading.values
    if not targets and not unread:
        reading.note(below, "has no targets")
    for index, target in enumerate(targets):
        at = reading.item(below, index)
        place = at if at in reading.values else path
        _check_provider(place, target, known, reading)
        if target.weight is not None and strategy is not Strategy.WEIGHTED:
            reading.note((*place, "weight"), f"means nothing to the strategy {strategy}; say strategy: weighted")


def _check_provider(path: Path, target: TargetEntry, known: Sequence[str], reading: Reading) -> None:
    at = _below(path, "provider", reading)
    if target.provider not in known:
        said = reading.quote(at, target.provider)
        reading.note(at, f"{said} is not a configured provider{nearest(target.provider, known)}")


def _below(path: Path, key: str, reading: Reading) -> Path:
    """Where something stands: under its key, or right there in the short form."""
    return (*path, key) if (*path, key) in reading.values else path


def _check_branch(path: Path, entry: BranchEntry, config: Config, reading: Reading) -> None:
    """It is for some requests, and there can be such."""
    when = (*path, "when")
    said = any((*path, key) in reading.values for key in ("when", "share"))
    if entry.when == WhenEntry() and entry.share is None and not said:
        reading.note(path, "is for every request: it needs when or share")
    clients = list(_clients(config))
    for index, client in enumerate(entry.when.clients):
        at = reading.item((*when, "clients"), index)
        given_out = config.store.enabled and misspelt(client, clients) is None  # then nobody can tell here
        if client not in clients and not given_out:
            reading.note(at, f"{reading.quote(at, client)} is not the name of a client key{nearest(client, clients)}")
    over, under = entry.when.tokens_over, entry.when.tokens_under
    if over is not None and under is not None and under <= over + 1:
        reading.note((*when, "tokens-under"), "leaves nothing above tokens-over")
    _check_header((*when, "header"), entry.when, reading)


def _check_shares(path: Path, branches: Sequence[BranchEntry], reading: Reading) -> None:
    """Each branch gets requests. Those without a condition take their shares of the same ones, beside one another."""
    taken = 0.0
    for index, branch in enumerate(branches):
        at = reading.item(path, index)
        if taken >= 1 - TINY:
            reading.note(at, "gets no request: the branches before it take all of them")
        elif branch.when == WhenEntry() and branch.share is not None:
            taken += branch.share
            if taken > 1 + TINY:
                reading.note((*at, "share"), "makes more than 100% with those of the branches before it")


def _check_header(path: Path, entry: WhenEntry, reading: Reading) -> None:
    if len(entry.header) > 1:
        reading.note(path, "names more than one header; make a branch of each")
    for name in entry.header:
        if not _HEADER.fullmatch(name):
            reading.note((*path, name), "is not a header's name", at_key=True)


def _clients(config: Config) -> Iterator[str]:
    for position, client in enumerate(config.client_keys, 1):
        yield client_name(client.name, position)
    if not config.client_keys:
        yield ANYONE.name
