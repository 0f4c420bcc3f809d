"""What users write about models: how it is read, what is wrong with it, and over whose word it holds."""

from datetime import date
from decimal import Decimal

import pytest

from isthmus.catalog.catalogue import Edition, pack
from isthmus.config.catalogues import Shelf
from isthmus.config.compile import compile_loaded
from isthmus.config.facts import LISTED, Facts
from isthmus.core.facts import Ability, ModelFacts, Price, Rates
from support.configured import config_of, load_text, problems_of

ROW = ModelFacts(input_limit=100, output_limit=10, abilities={Ability.TOOLS: True})
SHELF = Shelf(pack(Edition("book", "1", date(2026, 1, 1), ""), {"openai": {"gpt-9": ROW}}))
PROVIDERS = "providers: {openai: {api-key: k-0123456789}, mine: {type: openai, api-key: k-0123456789}, vllm: {}}\n"


def facts(models: str) -> Facts:
    return Facts(config_of(f"{PROVIDERS}models: {models}"), SHELF)


def test_everything_that_can_be_written_is_read() -> None:
    entry = "{context-limit: 9, input-limit: 8, output-limit: 7, can: [tools], cannot: [web-search]}"
    assert facts(f"{{tiny: {entry}}}").of("vllm", "tiny") == ModelFacts(
        context_limit=9,
        input_limit=8,
        output_limit=7,
        abilities={Ability.TOOLS: True, Ability.WEB_SEARCH: False},
    )


def test_prices_are_read_to_the_last_digit() -> None:
    price = "{input: 0.10, output: 0.000000000001, cache-read: 0, cache-write-hour: 6, request: 0.005}"
    assert facts(f"{{tiny: {{price: {price}}}}}").of("vllm", "tiny").price == Price(
        rates=Rates(input=Decimal("0.10"), output=Decimal("1E-12"), cache_read=Decimal(0), cache_write_hour=Decimal(6)),
        request=Decimal("0.005"),
    )


@pytest.mark.parametrize(
    ("name", "provider", "applies"),
    [
        ("gpt-9", "openai", True),
        ("gpt-9", "vllm", True),
        ("openai/gpt-9", "openai", True),
        ("openai/gpt-9", "mine", False),
        ("mine/*", "mine", True),
        ("gpt-*", "mine", True),
        ("gpt", "openai", False),
        ("GPT-9", "openai", False),
    ],
)
def test_a_name_is_a_models_or_a_providers_and_a_models(name: str, provider: str, applies: bool) -> None:
    known = facts(f"{{'{name}': {{output-limit: 3}}}}").of(provider, "gpt-9")
    assert (known.output_limit == 3) is applies


def test_of_several_that_match_the_later_one_holds() -> None:
    known = facts("{'*': {input-limit: 1, output-limit: 1}, gpt-9: {output-limit: 2}}").of("openai", "gpt-9")
    assert (known.input_limit, known.output_limit) == (1, 2)


def test_the_users_word_holds_over_the_providers_and_that_over_the_catalogues() -> None:
    told = ModelFacts(output_limit=20, abilities={Ability.TOOLS: False})
    known = facts("{gpt-9: {can: [vision]}}").known("openai", "gpt-9", told)
    assert (known.facts.input_limit, known.facts.output_limit) == (100, 20)
    assert known.facts.abilities == {Ability.TOOLS: False, Ability.VISION: True}
    assert known.sources == {
        "input_limit": "openai/gpt-9 in book 1 of 2026-01-01",
        "output_limit": LISTED,
        "abilities.tools": LISTED,
        "abilities.vision": "models.gpt-9 in the configuration",
    }


def test_the_catalogue_knows_a_provider_by_its_type() -> None:
    assert facts("{}").of("mine", "gpt-9").input_limit == 100


def test_what_is_not_told_of_the_model_itself_says_so() -> None:
    source = facts("{}").known("vllm", "gpt-9").sources["input_limit"]
    assert source == "like openai/gpt-9 in book 1 of 2026-01-01"


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{input-limit: 0}", "models.m.input-limit: must be a whole number from 1 to 1000000000"),
        ("{output-limit: many}", "models.m.output-limit: must be a whole number from 1 to 1000000000"),
        ("{can: [flying]}", "models.m.can[0]: must be one of tools, parallel-tools"),
        ("{can: [pdf], cannot: [pdf]}", "models.m.cannot: names pdf, which the model can do by the key can"),
        ("{price: {input: 1}}", "models.m.price: needs 'output'"),
        ("{price: {input: -1, output: 1}}", "models.m.price.input: must be an amount of US dollars from 0 to 1000000"),
        ("{price: {input: cheap, output: 1}}", "models.m.price.input: must be an amount of US dollars"),
        ("{price: 3}", "models.m.price: must be a mapping"),
        ("{limit: 3}", "models.m.limit: is not a key"),
        ("3", "models.m: must be a mapping"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(entry: str, problem: str) -> None:
    found = [f"{one.key}: {one.message}" for one in problems_of(f"models: {{m: {entry}}}")]
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_compiled_configuration_knows_its_models() -> None:
    snapshot = compile_loaded(load_text(f"{PROVIDERS}models: {{tiny: {{input-limit: 5}}}}"), ollama=False)
    assert snapshot.facts("vllm", "tiny", None).input_limit == 5
    assert snapshot.facts("openai", "gpt-5.2", None).input_limit == 272_000


def test_the_catalogue_is_opened_only_when_somebody_asks() -> None:
    book = facts("{}")
    assert "catalogue" not in vars(book)
    book.of("openai", "gpt-9")
    assert "catalogue" in vars(book)
