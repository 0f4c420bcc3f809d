"""What the user says of a model that changes how it is asked: whether it goes on with a turn of the assistant.

All else that is written of models is for lists, bills and limits, and is in facts.py.
"""

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from isthmus.config.facts import is_about
from isthmus.config.schema import Config
from isthmus.config.schema_providers import FactsEntry
from isthmus.core.facts import Ability
from isthmus.core.profile import ModelProfile
from isthmus.providers.provider import Provider


def as_written(provider: Provider, config: Config) -> Provider:
    """The provider, whose models are believed to be as the configuration says; the same one where it says nothing."""
    entries = [item for item in config.models.items() if Ability.PREFILL in (*item[1].can, *item[1].cannot)]
    if not entries:
        return provider
    return replace(provider, profile=partial(_profile, entries, provider.name, provider.profile))


def _profile(
    entries: Sequence[tuple[str, FactsEntry]], provider: str, profile_of: Callable[[str], ModelProfile], model: str
) -> ModelProfile:
    """Of several entries that are about the model, the last one holds."""
    profile = profile_of(model)
    for name, entry in entries:
        if is_about(name, provider, model):
            able = Ability.PREFILL in entry.can
            profile = replace(profile, prefill=able, continues=able)
    return profile
