"""What must hold of other names, and of the providers that are preferred. Notes every problem."""

from collections.abc import Sequence

from isthmus.config.names import lost_names
from isthmus.config.problems import Path, nearest
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.routing.naming import any_matches, is_pattern


def check_names(config: Config, known: Sequence[str], reading: Reading) -> None:
    """Every name leads somewhere, and providers that are `known` are preferred."""
    for path, reason in lost_names(config, known):
        reading.note(_item(path, reading), reason)
    for provider in config.routing.priority:
        if provider not in known:
            at: Path = ("routing", "priority", provider)
            reading.note(at, f"is not a configured provider{nearest(provider, known)}", at_key=True)
    for where, entries in (("aliases",), config.aliases), (("routing", "fallbacks"), config.routing.fallbacks):
        for name, entry in entries.items():
            if not entry.names and (*where, name, 0) not in reading.values:
                reading.note((*where, name), "names nothing")
    for name in config.providers:
        _check_aliases_at(name, config, reading)


def _check_aliases_at(provider: str, config: Config, reading: Reading) -> None:
    """Each further name at one provider is one name, of a model that is served."""
    entry = config.providers[provider]
    for alias, model in entry.aliases.items():
        path: Path = ("providers", provider, "aliases", alias)
        if is_pattern(alias):
            reading.note(path, "may not hold *; such a name stands under the aliases of the top level", at_key=True)
        if is_pattern(model):
            reading.note(path, "may not hold *; write the name of one model")
        elif any_matches(model, entry.models_excluded):
            reading.note(path, "is one of models-excluded")
    for name, model in (entry.claude_models or {}).items():
        path = ("providers", provider, "claude-models", name)
        if not name.strip("*"):
            reading.note(path, "would mean every name; such a model is the default-model", at_key=True)
        if not model or is_pattern(model):
            reading.note(path, "must be the name of one model, without *")
        elif any_matches(model, entry.models_excluded):
            reading.note(path, "is one of models-excluded")


def _item(path: Path, reading: Reading) -> Path:
    """Where an item stands: at its place in the list, or in place of it."""
    *above, last = path
    at = reading.item(tuple(above), last) if isinstance(last, int) else path
    return at if at in reading.values else tuple(above)
