"""What the keys of llms.py become, with the file of models beside it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from isthmus.config.foreign import translated
from isthmus.config.imports.report import Fit
from isthmus.config.load import Found, parse
from isthmus.config.schema import Config, ListenerEntry
from isthmus.config.schema_providers import PriceEntry
from isthmus.config.secrets import Environment
from isthmus.core.facts import Ability
from isthmus.engine.compat import Compat
from support.importing import SPECIMENS, VARIABLES, foreign, said, taken_over, text_of

ALL_SET = {
    **VARIABLES,
    "CODESTRAL_API_KEY": "codestral-0123456789",
    "OPENAI_LOCAL_API_KEY": "local-0123456789",
    "ZHIPU_API_KEY": "zhipu-0123456789",
}


def config_of(**providers: Any) -> Config:
    text = json.dumps({"version": 3, "defaults": {}, "providers": providers})
    return parse(text, Found(SPECIMENS / "llms.json", "a test"), Environment(ALL_SET)).config


def whole() -> Config:
    return taken_over(text_of("llms.json"), ALL_SET).config


def test_it_listens_where_its_clients_look() -> None:
    assert whole().listeners == (ListenerEntry("127.0.0.1", 8000, Compat.LLMS),)


def test_providers_are_asked_in_the_order_of_the_file() -> None:
    assert list(whole().routing.priority.values()) == [1, 2, 3, 4, 5, 6, 7]
    assert list(whole().routing.priority)[:3] == ["groq", "google", "codestral"]


def test_hosts_are_known_again_also_by_other_names() -> None:
    found = whole().providers
    assert (found["groq"].type, found["google"].type, found["anthropic"].type) == ("groq", "gemini", "anthropic")
    assert (found["codestral"].type, found["codestral"].base_url) == ("compatible", "https://codestral.mistral.ai/v1")
    assert found["zai-coding-plan"].base_url == "https://api.z.ai/api/coding/paas/v4"


def test_keys_are_the_variables_that_they_were() -> None:
    found = whole().providers
    keys = {name: entry.api_key.reveal() for name, entry in found.items() if entry.api_key is not None}
    assert keys == {
        "groq": ALL_SET["GROQ_API_KEY"],
        "google": ALL_SET["GEMINI_API_KEY"],
        "codestral": ALL_SET["CODESTRAL_API_KEY"],
        "zai-coding-plan": ALL_SET["ZHIPU_API_KEY"],
        "openai-local": ALL_SET["OPENAI_LOCAL_API_KEY"],
        "anthropic": "llms-anthropic-key",
    }


def test_a_reference_stays_one_in_the_file_that_is_written() -> None:
    assert "${OPENAI_LOCAL_API_KEY}" in foreign(text_of("llms.json"), ALL_SET).text


def test_a_provider_whose_variable_is_not_set_is_off_as_it_was() -> None:
    found = taken_over(text_of("llms.json"), {"GEMINI_API_KEY": "gemini-0123456789"}).config.providers
    assert [name for name, entry in found.items() if entry.enabled] == ["google", "anthropic"]


def test_one_that_is_switched_off_stays_off() -> None:
    assert not whole().providers["ollama"].enabled


def test_one_that_needs_no_key_needs_none() -> None:
    found = config_of(lmstudio={"enabled": True, "npm": "lmstudio", "api": "http://127.0.0.1:1234/v1", "models": {}})
    assert (found.providers["lmstudio"].type, found.providers["lmstudio"].enabled) == ("lmstudio", True)
    ollama = config_of(ollama={"enabled": True, "npm": "ollama", "api": "http://192.0.2.7:11434"}).providers["ollama"]
    assert (ollama.type, ollama.dialect, ollama.base_url) == ("compatible", "ollama", "http://192.0.2.7:11434")


def test_names_that_are_mapped_are_all_that_is_served() -> None:
    entry = whole().providers["groq"]
    assert entry.models == ("moonshotai/kimi-k2-instruct-0905",)
    assert dict(entry.aliases) == {"kimi-k2": "moonshotai/kimi-k2-instruct-0905"}


def test_a_model_has_the_name_that_it_is_shown_with_too() -> None:
    assert dict(whole().providers["codestral"].aliases) == {"Codestral \N{ROCKET}": "codestral-latest"}


def test_models_that_are_described_are_described() -> None:
    facts = whole().models["codestral/codestral-latest"]
    assert (facts.context_limit, facts.output_limit) == (256_000, 4096)
    assert facts.price == (PriceEntry(input=Decimal("0.3"), output=Decimal("0.9")),)
    assert (facts.can, facts.cannot) == ((Ability.TOOLS,), (Ability.REASONING,))


def test_bounds_are_taken_over() -> None:
    found = whole()
    assert (found.limits.request_body, found.limits.attempts) == (20971520, 21)
    assert {entry.deadlines.total for entry in found.providers.values()} == {240}


def test_headers_that_programs_send_anyway_are_left_out() -> None:
    found = config_of(groq={"enabled": True, "headers": {"X-Team": "search"}})
    assert list(found.providers["groq"].headers) == ["X-Team"]
    assert not whole().providers["groq"].headers


def test_what_has_no_equal_is_told_key_by_key() -> None:
    assert said(foreign(text_of("llms.json"), ALL_SET), Fit.NO_EQUAL) == {
        "convert",
        "defaults.check",
        "defaults.text",
        "providers.github-copilot",
        "providers.google.thinking_config",
        "providers.zai-coding-plan.temperature",
    }


@pytest.mark.parametrize("beside", ["", "not JSON", "[]", '{"groq": 3}', "{}"])
def test_without_a_usable_file_beside_it_what_the_file_says_holds(beside: str) -> None:
    found = translated(text_of("llms.json"), Environment(ALL_SET), lambda _: beside)
    assert found is not None
    assert "codestral-latest" in found.text


def test_escapes_that_yaml_does_not_have_are_read() -> None:
    entry = '{"enabled": true, "npm": "ollama", "name": "\\ud83d\\ude80", "api": "http:\\/\\/192.0.2.7:1"}'
    found = taken_over(f'{{"defaults": {{}}, "providers": {{"ollama": {entry}}}}}').config
    assert found.providers["ollama"].base_url == "http://192.0.2.7:1"
