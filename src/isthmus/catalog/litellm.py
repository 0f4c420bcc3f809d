"""Reads the list of models that the package litellm carries, and keeps what is a fact about a model.

Kept are chat, responses, completion and embedding models: limits, abilities, prices, the day of retirement. Left out
are prices of single regions and of reserved capacity, classes of models in place of names, and what describes
litellm itself.

Source: `model_prices_and_context_window_backup.json` in the wheel of litellm, whose first entry, `sample_spec`,
explains the fields. Prices there are US dollars for one token.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Raw

from isthmus.core.facts import Ability, Mode, ModelFacts, Price, Rates, Service, Tier
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

MEMBER = "litellm/model_prices_and_context_window_backup.json"
"""Where the list stands in the wheel."""

Models = Mapping[str, Mapping[str, ModelFacts]]
"""By kind of provider and by name."""

_PLACES = 6
"""Digits after the point that a price for a million tokens keeps. What lies beyond came of somebody's float."""

_UNREASONABLE = 10**12
"""Tokens that no model takes."""

KINDS: Mapping[str, str] = {
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "dashscope": "alibaba",
    "featherless_ai": "featherless",
    "fireworks_ai": "fireworks",
    "friendliai": "friendli",
    "meta_llama": "meta-llama",
    "text-completion-codestral": "codestral",
    "text-completion-inception": "inception",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vercel_ai_gateway": "vercel",
    "vertex_ai": "vertex",
}
"""litellm's names of providers that are other names here."""

_NO_NAMES = re.compile(
    r"\*|-commitment/|^(together-ai|fireworks-ai)-|(^|/)container$"
    r"|^bedrock/([a-z]{2}(-[a-z]+)+-\d|invoke|claude_platform)/"
    r"|^azure/(eu|us|us-gov|apac|global|global-standard)/"
)
"""Reserved capacity, sizes in place of names, tools, and regions with a price list of their own."""

ABILITIES: Mapping[str, Ability] = {
    "supports_assistant_prefill": Ability.PREFILL,
    "supports_audio_input": Ability.AUDIO,
    "supports_audio_output": Ability.SPEECH,
    "supports_computer_use": Ability.COMPUTER_USE,
    "supports_embedding_image_input": Ability.VISION,
    "supports_function_calling": Ability.TOOLS,
    "supports_parallel_function_calling": Ability.PARALLEL_TOOLS,
    "supports_pdf_input": Ability.PDF,
    "supports_prompt_caching": Ability.CACHING,
    "supports_reasoning": Ability.REASONING,
    "supports_response_schema": Ability.SCHEMA,
    "supports_video_input": Ability.VIDEO,
    "supports_vision": Ability.VISION,
    "supports_web_search": Ability.WEB_SEARCH,
}
_TAKEN_IN: Mapping[str, Ability] = {"image": Ability.VISION, "audio": Ability.AUDIO, "video": Ability.VIDEO}
_PUT_OUT: Mapping[str, Ability] = {"image": Ability.IMAGES, "audio": Ability.SPEECH}

RATES: Mapping[str, str] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_hour",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
}
_SERVICES: Mapping[str, Service] = {
    "batches": Service.BATCH,
    "flex": Service.FLEX,
    "priority": Service.PRIORITY,
}
_RATE = re.compile(
    rf"(?P<rate>{'|'.join(sorted(RATES, key=len, reverse=True))})"
    rf"(_above_(?P<above>\d+)k_tokens)?(_(?P<service>{'|'.join(_SERVICES)}))?"
)
_MODES = frozenset(Mode)


def read_models(body: bytes) -> Models:
    """Every model that is kept. Raises Malformed for what is not litellm's list.

    An entry that is not understood is left out: one odd entry among thousands keeps nobody from the others.
    """
    models: dict[str, dict[str, ModelFacts]] = {}
    for name, raw in sorted(json.read_fields(body).items(), key=lambda item: _own_name_last(item[0])):
        try:
            entry = Fields(raw, name)
            mode, provider = entry.text("mode"), entry.text("litellm_provider")
            if mode in _MODES and provider and not _NO_NAMES.search(name):
                models.setdefault(_kind(provider), {})[_bare(name, provider)] = _facts(Mode(mode), entry, raw)
        except (Malformed, ValueError, LookupError, ArithmeticError):
            continue
    if not any(models.values()):
        raise Malformed("it lists no model")
    return models


def _own_name_last(name: str) -> tuple[bool, str]:
    """Where a model stands with and without its host's name, the former is read last, and holds."""
    return "/" in name, name


def _kind(provider: str) -> str:
    """`vertex_ai-mistral_models` and its like are shelves of one provider."""
    if provider in KINDS:
        return KINDS[provider]
    shop, _, shelf = provider.partition("-")
    if shelf.endswith("models") and shop in KINDS:
        return KINDS[shop]
    return provider.replace("_", "-")


def _bare(name: str, provider: str) -> str:
    """The name that the provider itself knows."""
    first, slash, rest = name.partition("/")
    own = {provider, provider.partition("-")[0], _kind(provider)}
    return rest if slash and first in own else name


def _facts(mode: Mode, entry: Fields, raw: Raw) -> ModelFacts:
    numbers = _decimals(raw)
    retires = entry.text("deprecation_date")
    return ModelFacts(
        mode=mode,
        input_limit=_whole(numbers.get("max_input_tokens")),
        output_limit=_whole(numbers.get("max_output_tokens")),
        dimensions=_whole(numbers.get("output_vector_size")),
        abilities=dict(sorted(dict(_abilities(entry)).items())),
        price=_price(numbers, entry),
        retires=date.fromisoformat(retires) if retires else None,
    )


def _abilities(entry: Fields) -> Iterator[tuple[Ability, bool]]:
    for field, table in (("supported_modalities", _TAKEN_IN), ("supported_output_modalities", _PUT_OUT)):
        for modality in entry.texts(field) or ():
            if modality in table:
                yield table[modality], True
    for field, ability in ABILITIES.items():
        if (said := entry.flag(field)) is not None:
            yield ability, said


def _price(numbers: Mapping[str, Decimal], entry: Fields) -> Price | None:
    """The price list; None where there is no price for a token."""
    lists: dict[Service | None, dict[int, dict[str, Decimal]]] = {}
    for field, number in numbers.items():
        if found := _RATE.fullmatch(field):
            service = _SERVICES.get(found["service"] or "")
            above = int(found["above"] or 0) * 1000
            lists.setdefault(service, {}).setdefault(above, {})[RATES[found["rate"]]] = _million(number)
    for above, rates in _steps(entry.raw("tiered_pricing")):
        lists.setdefault(None, {}).setdefault(above, {}).update(rates)
    if None not in lists:
        return None
    request, image = numbers.get("input_cost_per_request"), numbers.get("input_cost_per_image")
    services = {service: _list(lists[service]) for service in _SERVICES.values() if service in lists}
    base = _list(lists[None])
    return Price(rates=base.rates, tiers=base.tiers, request=request, image=image, services=services)


def _steps(tiered: Raw | None) -> Iterator[tuple[int, Mapping[str, Decimal]]]:
    """From how many tokens of input on, and the rates from there."""
    for step in [] if tiered is None else json.read_items(tiered):
        numbers = _decimals(step)
        bounds = json.read_items(Fields(step).raw("range") or json.NULL, "range")
        rates = {RATES[field]: _million(number) for field, number in numbers.items() if field in RATES}
        yield int(Decimal(bytes(bounds[0]).decode())), rates


def _list(rates: Mapping[int, Mapping[str, Decimal]]) -> Price:
    tiers = tuple(Tier(above, Rates(**rates[above])) for above in sorted(rates) if above)
    return Price(rates=Rates(**rates.get(0, {})), tiers=tiers)


def _decimals(raw: Raw) -> Mapping[str, Decimal]:
    """The numbers among the fields, exactly as they are written."""
    texts = {name: bytes(value).decode() for name, value in json.read_fields(raw).items()}
    return {name: Decimal(text) for name, text in texts.items() if text[:1].isdecimal()}


def _million(for_one: Decimal) -> Decimal:
    """The price of a million, without zeros at its end."""
    return Decimal(f"{round(for_one.scaleb(6), _PLACES).normalize():f}")


def _whole(number: Decimal | None) -> int | None:
    """A limit; 0 stands for one that nobody knows, and what is beyond all reason for none."""
    return int(number) if number is not None and 1 <= number < _UNREASONABLE else None
