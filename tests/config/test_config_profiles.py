"""What is written of a model's prefill decides whether it is asked to go on with an answer that broke off."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.core.profile import ModelProfile
from support.configured import config_of

PROVIDERS = """
providers:
  mine: {type: compatible, base-url: "http://127.0.0.1:8000/v1", api-key: k}
  anthropic: {api-key: k}
models:
"""


def profile(models: str, provider: str, model: str) -> ModelProfile:
    return compile_config(config_of(PROVIDERS + models)).providers[provider].profile(model)


@pytest.mark.parametrize("name", ["qwen", "q*", "mine/qwen", "mine/*"])
def test_a_model_that_can_be_prefilled_goes_on_with_answers(name: str) -> None:
    written = f"  '{name}': {{can: [prefill]}}\n"
    assert profile(written, "mine", "qwen").continues


def test_a_model_that_cannot_is_not_asked_to() -> None:
    written = "  claude-sonnet-4-5: {cannot: [prefill]}\n"
    assert not profile(written, "anthropic", "claude-sonnet-4-5").continues
    assert profile(written, "anthropic", "claude-haiku-4-5").continues


def test_of_several_entries_the_last_holds() -> None:
    written = "  'q*': {can: [prefill]}\n  qwen: {cannot: [prefill]}\n"
    assert not profile(written, "mine", "qwen").continues


def test_other_abilities_change_nothing() -> None:
    assert not profile("  qwen: {can: [tools]}\n", "mine", "qwen").continues
