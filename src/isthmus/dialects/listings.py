"""How each dialect lists models: written for clients, read from providers."""

from collections.abc import Callable, Mapping, Sequence

from isthmus.core.facts import ModelFacts
from isthmus.core.models import ModelEntry
from isthmus.core.value import Value
from isthmus.dialects.anthropic import models as anthropic
from isthmus.dialects.gemini import models as gemini
from isthmus.dialects.ollama import models as ollama
from isthmus.dialects.openai import model_facts as openai_facts
from isthmus.dialects.openai import models as openai


def tells_nothing(_: bytes) -> Mapping[str, ModelFacts]:
    """Of a dialect whose lists hold names only."""
    return {}


class Listing(Value, frozen=True):
    """`read_models` gives the ids in a provider's list; it raises GARBLED for what is no list.

    `read_facts` gives what the list tells of its models beside their names, for those of which it tells
    anything; it never raises. `shows_facts`: entries are written with their limits.
    """

    write_models: Callable[[Sequence[ModelEntry]], bytes]
    write_model: Callable[[ModelEntry], bytes]
    read_models: Callable[[bytes], tuple[str, ...]]
    read_facts: Callable[[bytes], Mapping[str, ModelFacts]] = tells_nothing
    shows_facts: bool = False


LISTINGS: Mapping[str, Listing] = {
    "openai_chat": Listing(openai.write_models, openai.write_model, openai.read_models, openai_facts.read_facts),
    "anthropic": Listing(
        anthropic.write_models, anthropic.write_model, anthropic.read_models, anthropic.read_facts, shows_facts=True
    ),
    "gemini": Listing(gemini.write_models, gemini.write_model, gemini.read_models, gemini.read_facts, shows_facts=True),
    "ollama": Listing(ollama.write_models, ollama.write_model, ollama.read_models),
}
