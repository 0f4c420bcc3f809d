"""Where routes and aliases lead, worked out once when the configuration is loaded."""

from collections.abc import Iterable, Mapping, Sequence

from isthmus.config.about import Switch
from isthmus.config.hosts import LOCAL, host_of
from isthmus.config.problems import Path, clip
from isthmus.config.routes import routes_of
from isthmus.config.schema import Config
from isthmus.core.value import Value
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.offers import Offer
from isthmus.routing.plan import Route


class Names(Value, frozen=True):
    """`routes` holds routes and aliases alike; `lost` are the aliases that lead nowhere, each with the reason."""

    routes: Mapping[str, Route]
    lost: tuple[tuple[Path, str], ...] = ()


class LeadsNowhere(Exception):
    """An alias ends in nothing that can be asked."""


def work_out(config: Config, also: Iterable[str] = ()) -> Names:
    """Every route and alias with its targets. `also` are providers that may be there without being configured."""
    routes = routes_of(config)
    known = offers(config)
    named = {offer.provider for offer in known}
    directory = Directory(routes, [*known, *(Offer(name) for name in also if name not in named)])
    lost: list[tuple[Path, str]] = []
    led: dict[str, Route] = {}
    for name in config.aliases:
        try:
            led[name] = _follow(name, config.aliases, directory)
        except LeadsNowhere as error:
            lost.append((("aliases", name), str(error)))
    return Names({**led, **routes}, tuple(lost))


def offers(config: Config) -> list[Offer]:
    """What each provider is known to serve before it is asked, disabled ones too, and the bundled model."""
    found = []
    for name, entry in config.providers.items():
        host = host_of(name, entry)
        found.append(_offer(name, entry.models or (host.models if host else ())))
    if LOCAL not in config.providers and config.local.enabled is not Switch.OFF:
        found.append(Offer(LOCAL))
    return found


def _offer(name: str, models: Sequence[str]) -> Offer:
    exact = tuple(model for model in models if "*" not in model)
    return Offer(name, exact, tuple(model for model in models if "*" in model))


def _follow(name: str, aliases: Mapping[str, str], directory: Directory) -> Route:
    way = [name]
    while (name := aliases.get(way[-1], "")) and name not in way:
        way.append(name)
    if name:
        raise LeadsNowhere(f"leads back to itself: {' -> '.join(clip(step) for step in [*way, name])}")
    try:
        plan = directory.plan(way[-1])
    except UnknownName:
        reason = "names no route, no alias and no model that a provider is known to serve; write provider/model"
        raise LeadsNowhere(reason) from None
    return Route(tiers=plan.tiers, rules=plan.rules)
