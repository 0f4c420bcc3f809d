"""What providers tell of their models in their lists, each in its own words."""

from datetime import date
from decimal import Decimal

import pytest

from isthmus.core.facts import Ability, ModelFacts, Price, Rates
from isthmus.dialects.anthropic import models as anthropic
from isthmus.dialects.listings import LISTINGS
from isthmus.dialects.openai.model_facts import read_facts
from isthmus.wire import json

D = Decimal

OPENROUTER = {
    "id": "maker/large",
    "context_length": 1_000_000,
    "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    "pricing": {
        "prompt": "0.000005",
        "completion": "0.000025",
        "input_cache_read": "0.0000005",
        "input_cache_write": "0.00000625",
        "internal_reasoning": "0",
        "request": "0",
        "image": "0.0024",
        "web_search": "0.01",
    },
    "top_provider": {"context_length": 1_000_000, "max_completion_tokens": 64_000, "is_moderated": True},
    "supported_parameters": ["tools", "reasoning", "temperature"],
    "expiration_date": "2027-03-04",
}
TOGETHER = {
    "id": "maker/open",
    "context_length": 131_072,
    "pricing": {"hourly": 0, "input": 0.88, "output": 0.9, "base": 0, "finetune": 0},
}
MISTRAL = {
    "id": "mistral-medium-latest",
    "capabilities": {"completion_chat": True, "function_calling": True, "vision": True, "audio": False},
    "max_context_length": 131_072,
    "deprecation": "2026-11-30T12:00:00Z",
}
GROQ = {"id": "openai/gpt-oss-20b", "active": True, "context_window": 131_072, "max_completion_tokens": 65_536}
CEREBRAS = {
    "id": "gpt-oss-120b",
    "pricing": {"prompt": "0.00000035", "completion": "0.00000075"},
    "capabilities": {"streaming": True, "vision": False, "tools": True, "parallel_tool_calls": False},
    "limits": {"max_context_length": 131_072, "max_completion_tokens": 40_960},
}
VLLM = {"id": "tiny", "object": "model", "max_model_len": 4096, "root": "tiny", "permission": []}


def told(model: object) -> ModelFacts:
    found = read_facts(json.encode({"object": "list", "data": [model]}))
    assert len(found) == 1
    return next(iter(found.values()))


def test_openrouter_tells_limits_prices_and_abilities() -> None:
    assert told(OPENROUTER) == ModelFacts(
        context_limit=1_000_000,
        output_limit=64_000,
        abilities={
            Ability.VISION: True,
            Ability.PDF: True,
            Ability.AUDIO: False,
            Ability.VIDEO: False,
            Ability.IMAGES: False,
            Ability.SPEECH: False,
            Ability.TOOLS: True,
            Ability.PARALLEL_TOOLS: False,
            Ability.REASONING: True,
            Ability.SCHEMA: False,
        },
        price=Price(
            rates=Rates(input=D(5), output=D(25), cache_read=D("0.5"), cache_write=D("6.25")), image=D("0.0024")
        ),
        retires=date(2027, 3, 4),
    )


def test_together_tells_prices_for_a_million_as_numbers() -> None:
    assert told(TOGETHER) == ModelFacts(
        context_limit=131_072, price=Price(rates=Rates(input=D("0.88"), output=D("0.9")))
    )


def test_mistral_tells_the_context_abilities_and_the_last_day() -> None:
    assert told(MISTRAL) == ModelFacts(
        context_limit=131_072,
        abilities={Ability.TOOLS: True, Ability.VISION: True, Ability.AUDIO: False},
        retires=date(2026, 11, 30),
    )


def test_groq_tells_both_limits() -> None:
    assert told(GROQ) == ModelFacts(context_limit=131_072, output_limit=65_536)


def test_cerebras_tells_limits_prices_and_abilities() -> None:
    assert told(CEREBRAS) == ModelFacts(
        context_limit=131_072,
        output_limit=40_960,
        abilities={Ability.VISION: False, Ability.TOOLS: True, Ability.PARALLEL_TOOLS: False},
        price=Price(rates=Rates(input=D("0.35"), output=D("0.75"))),
    )


def test_vllm_tells_its_context() -> None:
    assert told(VLLM) == ModelFacts(context_limit=4096)


def test_a_list_without_a_wrapper_is_read_too() -> None:
    assert read_facts(json.encode([TOGETHER])).keys() == {"maker/open"}


def test_a_model_of_which_only_the_name_is_told_is_left_out() -> None:
    assert read_facts(b'{"data":[{"id":"gpt","object":"model","created":1,"owned_by":"me"}]}') == {}


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "0.1"},
        {"prompt": "cheap", "completion": "1"},
        {"prompt": "NaN", "completion": "1"},
        {"input": True, "output": False},
        {"input": "1", "output": "2"},
        [],
        "free",
        None,
    ],
)
def test_a_price_that_is_not_plain_is_not_told(pricing: object) -> None:
    assert told({"id": "m", "context_length": 1, "pricing": pricing}).price is None


@pytest.mark.parametrize("odd", ["many", -1, 0, 1.5, True, None, [], {}])
def test_a_limit_that_is_no_number_of_tokens_is_not_told(odd: object) -> None:
    assert told({"id": "m", "max_model_len": 7, "context_length": odd}) == ModelFacts(context_limit=7)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{}", b"7", b'{"data":7}', b'{"data":[7,null,"m",{"id":7},{}]}', b'{"models":{"a":1}}', b"\xff"],
)
def test_what_is_no_list_tells_nothing(body: bytes) -> None:
    for listing in LISTINGS.values():
        assert listing.read_facts(body) == {}


def test_anthropic_tells_limits_abilities_and_the_last_day() -> None:
    body = {
        "data": [
            {
                "type": "model",
                "id": "claude-x",
                "display_name": "Claude X",
                "created_at": "2026-01-01T00:00:00Z",
                "max_input_tokens": 200_000,
                "max_tokens": 64_000,
                "retires_at": "2027-06-01T00:00:00Z",
                "capabilities": {
                    "image_input": {"supported": True},
                    "pdf_input": {"supported": True},
                    "structured_outputs": {"supported": False},
                    "thinking": {"supported": True, "types": {}},
                    "effort": {"supported": True},
                },
            },
            {"type": "model", "id": "claude-y", "display_name": "Claude Y", "created_at": "2026-01-01T00:00:00Z"},
        ]
    }
    assert anthropic.read_facts(json.encode(body)) == {
        "claude-x": ModelFacts(
            input_limit=200_000,
            output_limit=64_000,
            abilities={Ability.VISION: True, Ability.PDF: True, Ability.SCHEMA: False, Ability.REASONING: True},
            retires=date(2027, 6, 1),
        )
    }
