"""What hosts tell of their models beside the names in a list of OpenAI's shape, each in its own words.

Sources, read on 2026-11-21: openrouter.ai/docs/models (`context_length`, `top_provider`, `pricing` in US dollars for
one token as texts, `architecture`, `supported_parameters`; the same is sent by hosts that serve it);
docs.together.ai/reference/models (`context_length`, `pricing` in US dollars for a million tokens as numbers);
docs.mistral.ai/api (`max_context_length`, `capabilities`, `deprecation`); console.groq.com/docs/api-reference
(`context_window`, `max_completion_tokens`); inference-docs.cerebras.ai (`limits`); docs.vllm.ai (`max_model_len`);
OpenAI's own `shutdown_date`. What is not understood is not told: a listing is never refused for its details.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from isthmus.core.facts import Ability, ModelFacts, Price, Rates
from isthmus.wire import json
from isthmus.wire.json import Malformed

_LISTS = ("data", "models")
_NAMES = ("id", "name", "model", "slug")
_CONTEXT = (
    ("context_length",),
    ("context_window",),
    ("max_context_length",),
    ("max_model_len",),
    ("limits", "max_context_length"),
)
_OUTPUT = (
    ("top_provider", "max_completion_tokens"),
    ("max_completion_tokens",),
    ("max_output_tokens",),
    ("max_output_length",),
    ("limits", "max_completion_tokens"),
)
_RETIRES = (("deprecation",), ("expiration_date",), ("shutdown_date",))

_FOR_ONE: Mapping[str, str] = {
    "prompt": "input",
    "completion": "output",
    "input_cache_read": "cache_read",
    "input_cache_write": "cache_write",
    "internal_reasoning": "reasoning",
    "audio": "audio_input",
}
"""Names under `pricing` for US dollars for one token, as texts."""
_FOR_A_MILLION: Mapping[str, str] = {"input": "input", "output": "output"}
"""Names under `pricing` for US dollars for a million tokens, as numbers."""

_MODALITIES: Mapping[str, Ability] = {
    "image": Ability.VISION,
    "file": Ability.PDF,
    "audio": Ability.AUDIO,
    "video": Ability.VIDEO,
}
_MADE: Mapping[str, Ability] = {"image": Ability.IMAGES, "audio": Ability.SPEECH}
_PARAMETERS: Mapping[str, Ability] = {
    "tools": Ability.TOOLS,
    "parallel_tool_calls": Ability.PARALLEL_TOOLS,
    "reasoning": Ability.REASONING,
    "structured_outputs": Ability.SCHEMA,
}
_FEATURES: Mapping[str, Ability] = {
    "tools": Ability.TOOLS,
    "reasoning": Ability.REASONING,
    "structured_outputs": Ability.SCHEMA,
}
_WHOLE_LISTS: tuple[tuple[tuple[str, ...], Mapping[str, Ability]], ...] = (
    (("architecture", "input_modalities"), _MODALITIES),
    (("architecture", "output_modalities"), _MADE),
    (("input_modalities",), _MODALITIES),
    (("output_modalities",), _MADE),
    (("supported_features",), _FEATURES),
    (("supported_parameters",), _PARAMETERS),
)
"""Lists that name all that a model can do, so that it cannot do what they leave out."""
_SWITCHES: Mapping[str, Ability] = {
    "function_calling": Ability.TOOLS,
    "tools": Ability.TOOLS,
    "parallel_tool_calls": Ability.PARALLEL_TOOLS,
    "vision": Ability.VISION,
    "audio": Ability.AUDIO,
    "reasoning": Ability.REASONING,
}
"""Names under `capabilities`, true or false."""


def read_facts(body: bytes) -> Mapping[str, ModelFacts]:
    """What a list tells of its models, by name, for those of which it tells anything. {} for what is no list."""
    try:
        listed = json.decode(body)
    except Malformed:
        return {}
    items = listed if isinstance(listed, list) else next(filter(_is_list, (_at(listed, name) for name in _LISTS)), [])
    found = {}
    for item in items if isinstance(items, list) else ():
        name = next((said for key in _NAMES if isinstance(said := _at(item, key), str)), None)
        facts = _facts(item)
        if name and facts != ModelFacts():
            found[name] = facts
    return found


def _facts(item: object) -> ModelFacts:
    return ModelFacts(
        context_limit=_first_whole(item, _CONTEXT),
        output_limit=_first_whole(item, _OUTPUT),
        abilities=dict(_abilities(item)),
        price=_price(_at(item, "pricing")),
        retires=next((day for path in _RETIRES if (day := _day(_at(item, *path))) is not None), None),
    )


def _at(value: object, *path: str) -> object:
    """What stands at the path; None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _first_whole(item: object, paths: Sequence[tuple[str, ...]]) -> int | None:
    """The first number of tokens that is told at one of the paths."""
    for path in paths:
        said = _at(item, *path)
        if isinstance(said, int) and not isinstance(said, bool) and said > 0:
            return said
    return None


def _abilities(item: object) -> Iterator[tuple[Ability, bool]]:
    for path, table in _WHOLE_LISTS:
        if isinstance(named := _at(item, *path), list):
            yield from ((ability, name in named) for name, ability in table.items())
    for name, ability in _SWITCHES.items():
        if isinstance(said := _at(item, "capabilities", name), bool):
            yield ability, said


def _price(pricing: object) -> Price | None:
    """None where input or output has no price, as where it changes from one request to the next."""
    rates = {rate: price for name, rate in _FOR_ONE.items() if (price := _amount(_at(pricing, name), str)) is not None}
    rates = {rate: price.scaleb(6) for rate, price in rates.items()} or {
        rate: price
        for name, rate in _FOR_A_MILLION.items()
        if (price := _amount(_at(pricing, name), int, float)) is not None
    }
    if "input" not in rates or "output" not in rates:
        return None
    request, image = _amount(_at(pricing, "request"), str), _amount(_at(pricing, "image"), str)
    exact = {rate: _plain(price) for rate, price in rates.items() if price or rate in ("input", "output")}
    return Price(rates=Rates(**exact), request=request or None, image=image or None)


def _amount(said: object, *kinds: type) -> Decimal | None:
    """An amount that is told as one of these types; a negative one stands for "it depends"."""
    if not isinstance(said, kinds) or isinstance(said, bool):
        return None
    try:
        amount = Decimal(str(said))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def _plain(price: Decimal) -> Decimal:
    return Decimal(f"{price.normalize():f}")


def _day(said: object) -> date | None:
    """The day of a date or time, as ISO 8601 has it."""
    try:
        return date.fromisoformat(said[:10]) if isinstance(said, str) else None
    except ValueError:
        return None
