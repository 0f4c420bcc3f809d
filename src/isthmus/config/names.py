"""Where the names of a configuration lead besides its routes: aliases, fallbacks and the default; who is preferred."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from isthmus.config.about import Switch
from isthmus.config.hosts import LOCAL, host_of
from isthmus.config.problems import Path, clip
from isthmus.config.routes import routes_of
from isthmus.config.schema import Config
from isthmus.routing.names import MOST_STEPS, Directory
from isthmus.routing.naming import Naming, is_pattern
from isthmus.routing.offers import Offer

NOWHERE = "names no route, no alias and no model that a provider is known to serve; write provider/model"
"""Also said of what only a longer chain of aliases than is followed leads to."""


def naming_of(config: Config) -> Naming:
    """All of it, as routing knows it."""
    routing = config.routing
    return Naming(
        aliases={name: entry.names for name, entry in config.aliases.items()},
        fallbacks={name: entry.names for name, entry in routing.fallbacks.items()},
        priority=routing.priority,
        strategy=routing.strategy,
        default=routing.default_model,
        aliases_at={name: entry.aliases for name, entry in config.providers.items() if entry.aliases},
        excluded={name: entry.models_excluded for name, entry in config.providers.items() if entry.models_excluded},
    )


def lost_names(config: Config, also: Iterable[str] = ()) -> list[tuple[Path, str]]:
    """The names that lead nowhere, with the reason. `also` are providers that may be there without being configured."""
    directory = _directory(config, also)
    aliases = {name: entry.names for name, entry in config.aliases.items()}
    rounds = {name: way for name in aliases if (way := _round(name, aliases))}
    lost: list[tuple[Path, str]] = [
        (("aliases", name), f"leads back to itself: {' -> '.join(map(clip, way))}") for name, way in rounds.items()
    ]
    for path, name in _written(config):
        if name not in rounds and (reason := _why_lost(name, directory)) is not None:
            lost.append((path, reason))
    return lost


def leads_to(config: Config, provider: str) -> bool:
    """Does one of the names that are written in the configuration lead to this provider?"""
    directory = _directory(config)
    plans = [plan for _, name in _written(config) if (plan := directory.lead(name)) is not None]
    return any(target.provider == provider for plan in plans for target in plan.targets)


def _directory(config: Config, also: Iterable[str] = ()) -> Directory:
    known = list(_offers(config))
    named = {offer.provider for offer in known}
    return Directory(
        routes_of(config), [*known, *(Offer(name) for name in also if name not in named)], naming_of(config)
    )


def _offers(config: Config) -> Iterator[Offer]:
    """What each provider is known to serve before it is asked, disabled ones too, and the bundled model."""
    for name, entry in config.providers.items():
        host = host_of(name, entry)
        models = entry.models or (host.models if host else ())
        exact = tuple(model for model in models if not is_pattern(model))
        yield Offer(name, exact, tuple(filter(is_pattern, models)), entry.aliases, entry.models_excluded)
    if LOCAL not in config.providers and config.local.enabled is not Switch.OFF:
        yield Offer(LOCAL)


def _written(config: Config) -> Iterator[tuple[Path, str]]:
    """Every name that is to lead somewhere, and where it stands."""
    for at, entries in (("aliases",), config.aliases), (("routing", "fallbacks"), config.routing.fallbacks):
        for name, entry in entries.items():
            for index, to in enumerate(entry.names):
                yield (*at, name, index), to
    for name, route in config.routes.items():
        for index, to in enumerate(route.fallbacks):
            yield ("routes", name, "fallbacks", index), to
    if config.routing.default_model is not None:
        yield ("routing", "default-model"), config.routing.default_model


def _why_lost(name: str, directory: Directory) -> str | None:
    if is_pattern(name):
        return "may not hold *; write the name of one model"
    return NOWHERE if directory.lead(name) is None else None


def _round(name: str, aliases: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from an alias back to itself; empty where none leads there in as many steps as are gone."""
    ways, seen = [[name]], {name}
    for _ in range(MOST_STEPS):
        further = []
        for way in ways:
            for to in aliases[way[-1]]:
                if to == name:
                    return [*way, to]
                if to in aliases and to not in seen:
                    seen.add(to)
                    further.append([*way, to])
        ways = further
    return []
