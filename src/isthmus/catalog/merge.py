"""One model as several tell of it: the catalogue, the provider's own list, the user. Who said what is kept.

The later word holds: limit by limit, ability by ability. A price list holds as a whole, because two lists mixed would
be nobody's price.
"""

from collections.abc import Mapping

from msgspec.structs import asdict, replace

from isthmus.core.facts import NOTHING_KNOWN, ModelFacts
from isthmus.core.value import Value


class Said(Value, frozen=True):
    """What one source says of a model. `source` is for people: "catalogue openai/gpt-5"."""

    source: str
    facts: ModelFacts


class Known(Value, frozen=True):
    """All that is known of a model. `sources` has every field that is known; an ability as "abilities.tools"."""

    facts: ModelFacts = NOTHING_KNOWN
    sources: Mapping[str, str] = {}


def merge(catalogue: Said | None, listed: Said | None, *written: Said) -> Known:
    """`written` is what users wrote, the most general first."""
    facts = NOTHING_KNOWN
    sources: dict[str, str] = {}
    for said in (catalogue, listed, *written):
        if said is not None:
            abilities = said.facts.abilities
            told = {name: value for name, value in asdict(said.facts).items() if value is not None}
            facts = replace(facts, **{**told, "abilities": {**facts.abilities, **abilities}})
            names = [*(name for name in told if name != "abilities"), *(f"abilities.{name}" for name in abilities)]
            sources |= dict.fromkeys(names, said.source)
    return Known(facts, sources)
