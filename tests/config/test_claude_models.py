"""Which models of a provider stand in for Claude's, as configured."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.engine.live import Live
from isthmus.providers.codex import STAND_INS
from support.configured import config_of, problems_of

OURS = """\
providers:
  codex: {claude-models: {opus: big, 'claude-opus-*': big}}
"""


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("opus", "gpt-5.3-codex"),
        ("claude-opus-4-6-1m", "gpt-5.3-codex"),
        ("claude-3-opus-20240229", "gpt-5.3-codex"),
        ("claude-sonnet-4-5-20250929", "gpt-5.2"),
        ("sonnet-1m", "gpt-5.2"),
        ("claude-haiku-4-5", "gpt-5.2"),
    ],
)
def test_codex_stands_in_for_claude_unless_it_is_told_otherwise(name: str, model: str) -> None:
    directory = Live(compile_config(config_of("providers: {codex: {}}"))).take().directory
    assert [target.model for target in directory.plan(name).targets] == [model]


def test_what_is_configured_takes_the_place_of_all_that() -> None:
    provider = compile_config(config_of(OURS)).providers["codex"]
    assert provider.stand_ins == {"opus": "big", "claude-opus-*": "big"}


def test_nothing_stands_in_where_that_is_configured() -> None:
    assert compile_config(config_of("providers: {codex: {claude-models: {}}}")).providers["codex"].stand_ins == {}


def test_any_provider_may_stand_in() -> None:
    text = "providers: {vllm: {type: compatible, base-url: 'http://127.0.0.1:1', claude-models: {opus: tiny}}}"
    assert compile_config(config_of(text)).providers["vllm"].stand_ins == {"opus": "tiny"}
    plain = compile_config(config_of("providers: {openai: {api-key: k-0123456789}}")).providers["openai"]
    assert plain.stand_ins == {}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{'*': m}", "would mean every name"),
        ("{opus: 'gpt-*'}", "must be the name of one model"),
        ("{opus: gpt-4o}", "is one of models-excluded"),
    ],
)
def test_what_cannot_stand_in_is_a_problem(entry: str, words: str) -> None:
    found = problems_of(f"providers: {{codex: {{models-excluded: [gpt-4o], claude-models: {entry}}}}}")
    assert [words in problem.message for problem in found] == [True]


def test_the_names_of_haiku_have_the_capitals_and_endings_of_the_others() -> None:
    families = ("opus", "sonnet", "haiku")
    shapes = {family: {name.replace(family, "X") for name in STAND_INS if family in name} for family in families}
    assert shapes["opus"] == shapes["sonnet"] == shapes["haiku"]
