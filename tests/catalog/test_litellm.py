"""What is read from litellm's list of models, entry by entry."""

import json
from datetime import date
from decimal import Decimal

import pytest

from isthmus.catalog.litellm import read_models
from isthmus.core.facts import Ability, Mode, ModelFacts, Price, Rates, Service, Tier
from isthmus.wire.json import Malformed

D = Decimal


def entry(provider: str = "openai", mode: str = "chat", **fields: object) -> dict[str, object]:
    return {"litellm_provider": provider, "mode": mode, **fields}


def read_one(**fields: object) -> ModelFacts:
    return read_models(json.dumps({"m": entry(**fields)}).encode())["openai"]["m"]


def price_of(text: str) -> Price:
    """The price in an entry with these fields, which keep their spelling."""
    body = b'{"m":{"litellm_provider":"openai","mode":"chat",%b}}' % text.encode()
    price = read_models(body)["openai"]["m"].price
    assert price is not None
    return price


def where(name: str, provider: str, mode: str = "chat") -> list[str]:
    """The kinds and names under which an entry is kept."""
    body = json.dumps({name: entry(provider, mode), "kept": entry()}).encode()
    return [f"{kind}|{name}" for kind, rows in read_models(body).items() for name in rows if name != "kept"]


def test_limits_dimensions_and_the_last_day_are_read() -> None:
    facts = read_one(
        max_input_tokens=100, max_output_tokens=1e1, output_vector_size=3, deprecation_date="2027-01-31", max_tokens=7
    )
    assert facts == ModelFacts(
        mode=Mode.CHAT, input_limit=100, output_limit=10, dimensions=3, retires=date(2027, 1, 31)
    )


def test_a_limit_of_nothing_is_no_limit() -> None:
    assert read_one(max_input_tokens=0).input_limit is None


def test_what_a_model_can_and_cannot_do_is_read() -> None:
    abilities = read_one(supports_vision=True, supports_function_calling=False, supports_tool_choice=True).abilities
    assert abilities == {Ability.VISION: True, Ability.TOOLS: False}


def test_modalities_tell_abilities_and_the_plain_word_holds_over_them() -> None:
    told = {"supported_modalities": ["text", "image", "audio"], "supported_output_modalities": ["text", "image"]}
    assert read_one(**told, supports_audio_input=False).abilities == {
        Ability.VISION: True,
        Ability.AUDIO: False,
        Ability.IMAGES: True,
    }


def test_prices_are_for_a_million_and_exact() -> None:
    price = price_of('"input_cost_per_token":1.5e-07,"output_cost_per_token":0.0000006,"output_cost_per_image":1')
    assert price == Price(rates=Rates(input=D("0.15"), output=D("0.6")))
    assert str(price.rates.input) == "0.15"


def test_what_somebodys_float_added_is_taken_off() -> None:
    assert price_of('"input_cost_per_token":3.0000000000000004e-07').rates.input == D("0.3")


def test_a_price_of_nothing_is_a_price() -> None:
    assert price_of('"input_cost_per_token":0.0').rates.input == 0


def test_every_rate_is_read() -> None:
    fields = {
        "cache_read_input_token_cost": 1,
        "cache_creation_input_token_cost": 2,
        "cache_creation_input_token_cost_above_1hr": 3,
        "output_cost_per_reasoning_token": 4,
        "input_cost_per_audio_token": 5,
        "output_cost_per_audio_token": 6,
        "input_cost_per_image_token": 7,
        "output_cost_per_image_token": 8,
    }
    price = read_one(**{name: cost / 1_000_000 for name, cost in fields.items()}).price
    assert price is not None
    assert price.rates == Rates(
        cache_read=D(1),
        cache_write=D(2),
        cache_write_hour=D(3),
        reasoning=D(4),
        audio_input=D(5),
        audio_output=D(6),
        image_input=D(7),
        image_output=D(8),
    )


def test_thresholds_and_services_have_lists_of_their_own() -> None:
    price = price_of(
        '"input_cost_per_token":1e-6,"input_cost_per_token_above_200k_tokens":2e-6,'
        '"cache_creation_input_token_cost_above_1hr_above_200k_tokens":9e-6,'
        '"input_cost_per_token_batches":5e-7,"input_cost_per_token_above_200k_tokens_batches":7e-7,'
        '"input_cost_per_token_priority":4e-6,"input_cost_per_token_flex":3e-6'
    )
    assert price.tiers == (Tier(200_000, Rates(input=D(2), cache_write_hour=D(9))),)
    assert price.services == {
        Service.BATCH: Price(rates=Rates(input=D("0.5")), tiers=(Tier(200_000, Rates(input=D("0.7"))),)),
        Service.FLEX: Price(rates=Rates(input=D(3))),
        Service.PRIORITY: Price(rates=Rates(input=D(4))),
    }


def test_steps_are_thresholds_too() -> None:
    price = price_of(
        '"tiered_pricing":[{"input_cost_per_token":5e-8,"output_cost_per_reasoning_token":4e-6,"range":[0,256000.0]},'
        '{"input_cost_per_token":2.5e-7,"range":[256000.0,1000000.0]}]'
    )
    assert price.rates == Rates(input=D("0.05"), reasoning=D(4))
    assert price.tiers == (Tier(256_000, Rates(input=D("0.25"))),)


def test_what_is_paid_for_each_request_is_read() -> None:
    price = price_of('"input_cost_per_token":0,"input_cost_per_request":0.005,"input_cost_per_image":0.01')
    assert (price.request, price.image) == (D("0.005"), D("0.01"))


def test_without_a_price_for_a_token_there_is_no_price() -> None:
    assert read_one(input_cost_per_second=1).price is None


@pytest.mark.parametrize(
    ("name", "provider", "kept"),
    [
        ("gpt-9", "openai", "openai|gpt-9"),
        ("azure/gpt-9", "azure", "azure|gpt-9"),
        ("anthropic.claude-x", "bedrock_converse", "bedrock|anthropic.claude-x"),
        ("bedrock/moonshotai.kimi", "bedrock", "bedrock|moonshotai.kimi"),
        ("vertex_ai/mistral-x", "vertex_ai-mistral_models", "vertex|mistral-x"),
        ("gemini-x", "vertex_ai-language-models", "vertex|gemini-x"),
        ("together_ai/meta-llama/L", "together_ai", "together|meta-llama/L"),
        ("fireworks_ai/accounts/f/models/d", "fireworks_ai", "fireworks|accounts/f/models/d"),
        ("dashscope/qwen", "dashscope", "alibaba|qwen"),
        ("groq/openai/gpt-oss", "groq", "groq|openai/gpt-oss"),
        ("some_host/m", "some_host", "some-host|m"),
    ],
)
def test_a_model_stands_under_our_name_of_its_host_and_the_hosts_name_of_it(
    name: str, provider: str, kept: str
) -> None:
    assert where(name, provider) == [kept]


@pytest.mark.parametrize(
    ("name", "provider", "mode"),
    [
        ("bedrock/us-west-2/anthropic.claude-x", "bedrock", "chat"),
        ("bedrock/*/1-month-commitment/cohere.x", "bedrock", "chat"),
        ("azure/eu/gpt-9", "azure", "chat"),
        ("together-ai-4.1b-8b", "together_ai", "chat"),
        ("openai/container", "openai", "chat"),
        ("dall-e", "openai", "image_generation"),
        ("whisper", "openai", "audio_transcription"),
    ],
)
def test_regions_reserved_capacity_classes_and_other_trades_are_left_out(name: str, provider: str, mode: str) -> None:
    assert where(name, provider, mode) == []


def test_what_stands_under_its_hosts_name_holds_over_what_stands_without() -> None:
    body = json.dumps({
        "deepseek/m": entry("deepseek", max_input_tokens=2),
        "m": entry("deepseek", max_input_tokens=1),
    })  # fmt: skip
    assert read_models(body.encode())["deepseek"]["m"].input_limit == 2


@pytest.mark.parametrize(
    "odd",
    [
        {"deprecation_date": "soon"},
        {"supports_vision": "yes"},
        {"supported_modalities": 3},
        {"tiered_pricing": [{"range": []}]},
        {"tiered_pricing": [{"range": ["a", "b"]}]},
        {"tiered_pricing": {"range": [0, 1]}},
    ],
)
def test_an_odd_entry_is_left_out_and_the_rest_is_read(odd: dict[str, object]) -> None:
    body = json.dumps({"odd": entry(**odd), "m": entry()})
    assert list(read_models(body.encode())["openai"]) == ["m"]


@pytest.mark.parametrize("number", ["1e999999999", "-1e999999999", "1e-999999999", "123456789" * 100])
@pytest.mark.parametrize("field", ["max_input_tokens", "input_cost_per_token"])
def test_a_number_beyond_all_reason_is_survived(field: str, number: str) -> None:
    body = f'{{"m":{{"litellm_provider":"openai","mode":"chat","{field}":{number}}},"n":{json.dumps(entry())}}}'
    read = read_models(body.encode())["openai"]
    assert "n" in read
    assert "m" not in read or read["m"].input_limit is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"sample_spec":{"mode":"x"}}', b'{"m":3}', b"<html>"])
def test_what_is_no_such_list_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_models(body)
