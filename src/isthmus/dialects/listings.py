"""How each dialect lists models: written for clients, read from providers."""

from collections.abc import Callable, Mapping, Sequence

from isthmus.core.models import ModelEntry
from isthmus.core.value import Value
from isthmus.dialects.anthropic import models as anthropic
from isthmus.dialects.openai import models as openai


class Listing(Value, frozen=True):
    """`read_models` gives the ids in a provider's list; it raises GARBLED for what is no list."""

    write_models: Callable[[Sequence[ModelEntry]], bytes]
    write_model: Callable[[ModelEntry], bytes]
    read_models: Callable[[bytes], tuple[str, ...]]


LISTINGS: Mapping[str, Listing] = {
    "openai_chat": Listing(openai.write_models, openai.write_model, openai.read_models),
    "anthropic": Listing(anthropic.write_models, anthropic.write_model, anthropic.read_models),
}
