"""Costs against an independent price list and its own arithmetic: the package genai-prices.

Two questions are kept apart. Whether we reckon as they do is asked of their own rates, so that only a bug can make a
difference. Whether the catalogue's rates are theirs is asked model by model; where a rate differs, one of the two
lists is older or wrong, and the model stands in DIFFERENT with the reason once somebody has looked.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.types import ModelPrice, TieredPrices

from isthmus.catalog.catalogue import Catalogue
from isthmus.catalog.prices import cost
from isthmus.config.catalogues import take_shelf
from isthmus.core.facts import Price, Rates, Tier
from isthmus.core.usage import Usage

MODELS = (
    ("openai", "openai", "gpt-4o"),
    ("openai", "openai", "gpt-4o-mini"),
    ("openai", "openai", "gpt-4.1"),
    ("openai", "openai", "gpt-5"),
    ("openai", "openai", "gpt-5-mini"),
    ("openai", "openai", "gpt-5.2"),
    ("openai", "openai", "o3"),
    ("openai", "openai", "o4-mini"),
    ("openai", "openai", "text-embedding-3-small"),
    ("azure", "azure", "gpt-5"),
    ("anthropic", "anthropic", "claude-haiku-4-5"),
    ("anthropic", "anthropic", "claude-sonnet-4-5"),
    ("anthropic", "anthropic", "claude-sonnet-5"),
    ("anthropic", "anthropic", "claude-opus-4-5"),
    ("anthropic", "anthropic", "claude-opus-5"),
    ("gemini", "google", "gemini-2.5-pro"),
    ("gemini", "google", "gemini-2.5-flash"),
    ("gemini", "google", "gemini-2.5-flash-lite"),
    ("vertex", "google", "gemini-2.5-flash"),
    ("xai", "x-ai", "grok-4.3"),
    ("groq", "groq", "openai/gpt-oss-120b"),
    ("groq", "groq", "openai/gpt-oss-20b"),
    ("moonshot", "moonshotai", "kimi-k2.5"),
    ("cohere", "cohere", "command-a-03-2025"),
    ("deepseek", "deepseek", "deepseek-chat"),
    ("mistral", "mistral", "codestral-latest"),
)
DIFFERENT: Mapping[tuple[str, str], str] = {
    ("anthropic", "claude-sonnet-4-5"): "they have a price above 200k tokens; the catalogue has that as the limit",
    ("deepseek", "deepseek-chat"): "they have an older list, $0.27 and $1.10",
    ("mistral", "codestral-latest"): "they know no price for cached input",
}

SMALL = Usage(fresh_input=10_000, cache_read=3_000, output=2_000, reasoning=500)
LARGE = Usage(fresh_input=250_000, cache_read=50_000, output=1_000)
WRITES = Usage(fresh_input=1_000, cache_read=500, cache_write=700, output=100)
USAGES = (SMALL, LARGE, WRITES)

RATES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return take_shelf(Path("nowhere")).newest()


def theirs(usage: Usage) -> TheirUsage:
    """In their words, cached input is part of the input, and thinking part of the output."""
    written = {"cache_write_tokens": usage.cache_write} if usage.cache_write else {}
    return TheirUsage(
        input_tokens=usage.input, cache_read_tokens=usage.cache_read, output_tokens=usage.total_output, **written
    )


def their_price(provider: str, model: str) -> ModelPrice:
    return calc_price(theirs(SMALL), model_ref=model, provider_id=provider).model_price


def as_ours(price: ModelPrice) -> Price:
    """Their rates as a price list of ours."""
    base: dict[str, Decimal] = {}
    above: dict[int, dict[str, Decimal]] = {}
    for name, field in RATES.items():
        rate = getattr(price, field, None)
        if isinstance(rate, TieredPrices):
            base[name] = rate.base
            for tier in rate.tiers:
                above.setdefault(tier.start, {})[name] = tier.price
        elif rate is not None:
            base[name] = rate
    tiers = tuple(Tier(start, Rates(**above[start])) for start in sorted(above))
    return Price(rates=Rates(**base), tiers=tiers)


@pytest.mark.parametrize(("_", "provider", "model"), MODELS)
def test_their_rates_give_their_cost(_: str, provider: str, model: str) -> None:
    price = their_price(provider, model)
    for usage in USAGES:
        if usage.cache_write and getattr(price, "cache_write_mtok", None) is None:
            continue
        assert cost(usage, as_ours(price)).total == price.calc_price(theirs(usage))["total_price"]


@pytest.mark.parametrize(("kind", "provider", "model"), [row for row in MODELS if (row[0], row[2]) not in DIFFERENT])
def test_the_catalogues_rates_are_theirs(catalogue: Catalogue, kind: str, provider: str, model: str) -> None:
    found = catalogue.find(kind, model)
    assert found is not None
    assert found.facts.price is not None
    other = as_ours(their_price(provider, model))
    for usage in (SMALL, LARGE):
        assert cost(usage, found.facts.price).total == cost(usage, other).total, "a price changed, or one list is wrong"


@pytest.mark.parametrize(("kind", "model"), DIFFERENT)
def test_a_difference_that_is_gone_is_struck_from_the_list(catalogue: Catalogue, kind: str, model: str) -> None:
    provider = next(row[1] for row in MODELS if (row[0], row[2]) == (kind, model))
    found = catalogue.find(kind, model)
    assert found is not None
    assert found.facts.price is not None
    other = as_ours(their_price(provider, model))
    ours = [cost(usage, found.facts.price).total for usage in (SMALL, LARGE)]
    assert ours != [cost(usage, other).total for usage in (SMALL, LARGE)]
