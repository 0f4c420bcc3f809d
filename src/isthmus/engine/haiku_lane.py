"""The lane for Haiku: names of small Claude models that lead to one model of another provider, as configured."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

NAMES = ("haiku", "claude-haiku-*", "claude-*-haiku", "claude-*-haiku-*", "claude-haiku", "haiku-1m")
"""Aliases that lead there. Exact names come before wildcards, whoever configured them."""
KILO = "kilo"
"""The provider behind the lane, where no other is configured for it; it takes requests without a key of one's own."""
KILO_ENTRY: Mapping[str, str] = MappingProxyType(
    {"type": "compatible", "base-url": "https://api.kilo.ai/api/openrouter", "api-key": "anonymous"}
)
MODELS: Mapping[str, str] = MappingProxyType(
    {
        "minimax-2.5": "minimax/minimax-m2.5:free",
        "glm-5": "z-ai/glm-5:free",
        "kimi-k2.5": "moonshotai/kimi-k2.5:free",
    }
)
"""Short names. Any other is the name that the provider has."""
OPENROUTER = "openrouter"
LONGEST = 200
"""Characters of a model's name."""


def aliases_to(model: str, providers: Collection[str]) -> Mapping[str, str]:
    """Where each name leads, for a model by its short name, its own, or as `provider/model` of a known provider."""
    head, _, rest = model.partition("/")
    if rest and head in providers and head not in {own.partition("/")[0] for own in MODELS.values()}:
        target = model
    else:
        target = f"{OPENROUTER if OPENROUTER in providers else KILO}/{MODELS.get(model, model)}"
    return dict.fromkeys(NAMES, target)


def model_of(target: str) -> str:
    """What the lane's model is called in settings: its short name, else its own."""
    provider, _, model = target.partition("/")
    if provider not in (KILO, OPENROUTER):
        return target
    return next((short for short, own in MODELS.items() if own == model), model)
