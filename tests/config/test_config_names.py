"""What a file says of names: aliases, fallbacks, priorities, the default model, and what is not served."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Habits
from isthmus.routing.naming import Naming
from isthmus.routing.plan import Strategy
from support.configured import config_of, problems_of

TWO = """\
providers:
  openai: {api-key: k-0123456789, models: [gpt-5, gpt-5-mini, gpt-4o], models-excluded: ['GPT-4*']}
  vllm: {models: [tiny], aliases: {little: tiny}}
"""
NAMES = """\
routes: {smart: [openai/gpt-5]}
aliases: {one: smart, many: [tiny, openai/gpt-5], 'claude-*': [smart]}
routing:
  strategy: round_robin
  priority: {vllm: 1, openai: 2.5}
  fallbacks: {gpt-5: tiny, 'gpt-*': [one, tiny]}
  default-model: smart
"""


def test_names_are_compiled_as_they_were_written() -> None:
    snapshot = compile_config(config_of(TWO + NAMES))
    assert snapshot.naming == Naming(
        aliases={"one": ("smart",), "many": ("tiny", "openai/gpt-5"), "claude-*": ("smart",)},
        fallbacks={"gpt-5": ("tiny",), "gpt-*": ("one", "tiny")},
        priority={"vllm": 1.0, "openai": 2.5},
        strategy=Strategy.ROUND_ROBIN,
        default="smart",
        aliases_at={"vllm": {"little": "tiny"}},
        excluded={"openai": ("GPT-4*",)},
    )
    assert list(snapshot.routes) == ["smart"]


def test_what_was_written_holds_for_requests() -> None:
    directory = Live(compile_config(config_of(TWO + NAMES))).take().directory
    for name, targets in {
        "claude-sonnet-4-5": ["openai/gpt-5"],
        "many": ["vllm/tiny", "openai/gpt-5"],
        "gpt-5": ["openai/gpt-5", "vllm/tiny"],
        "gpt-5-mini": ["openai/gpt-5-mini", "openai/gpt-5", "vllm/tiny"],
        "little": ["vllm/tiny"],
        "gpt-4o": ["openai/gpt-5", "vllm/tiny"],
    }.items():
        found = directory.plan(name).targets
        assert [f"{target.provider}/{target.model}" for target in found] == targets, name
    listed = ["smart", "one", "many", "gpt-5", "gpt-5-mini", "tiny", "little"]
    assert [name for name, _ in directory.names()] == listed


def test_the_providers_own_name_can_be_shown() -> None:
    assert compile_config(config_of("habits: {real-model-name: true}")).habits == Habits(real_model_name=True)


@pytest.mark.parametrize(
    "text",
    [
        "aliases: {a: local/b}",
        "aliases: {a: [vllm/b, local/b]}",
        "routing: {fallbacks: {m: local/b}}",
        "routing: {default-model: local/b}",
        "routes: {r: {targets: [vllm/m], fallbacks: [local/b]}}",
    ],
)
def test_a_name_that_leads_to_the_bundled_model_turns_it_on(text: str) -> None:
    assert list(compile_config(config_of(f"providers: {{vllm: {{}}}}\n{text}")).providers) == ["vllm", "local"]


PROBLEMS = {
    "one of several leads nowhere": ("aliases: {a: [tiny, nope]}", "aliases.a[1]", "write provider/model"),
    "an alias leads to a name of many": ("aliases: {a: gpt-*}", "aliases.a", "may not hold *"),
    "an alias names nothing": ("aliases: {a: []}", "aliases.a", "names nothing"),
    "an alias is empty": ("aliases: {a: }", "aliases.a", "names nothing"),
    "an alias comes back in a few steps": (
        "aliases: {a: [tiny, b], b: c, c: [gpt-5, b]}",
        "aliases.b",
        "leads back to itself: b -> c -> b",
    ),
    "a fallback leads nowhere": (
        "routing: {fallbacks: {tiny: [gpt-5, nope]}}",
        "routing.fallbacks.tiny[1]",
        "names no",
    ),
    "a route's fallback leads nowhere": (
        "routes: {r: {targets: [vllm/tiny], fallbacks: [nope]}}",
        "routes.r.fallbacks[0]",
        "names no route",
    ),
    "the default leads nowhere": ("routing: {default-model: nope}", "routing.default-model", "names no route"),
    "the default is not served": ("routing: {default-model: gpt-4o}", "routing.default-model", "names no route"),
    "nobody is preferred": ("routing: {priority: {vlm: 1}}", "routing.priority.vlm", "did you mean 'vllm'?"),
    "a preference is no number": ("routing: {priority: {vllm: high}}", "routing.priority.vllm", "must be a number"),
}


@pytest.mark.parametrize(("text", "key", "words"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_name_that_cannot_work_is_told_with_its_place(text: str, key: str, words: str) -> None:
    found = [problem for problem in problems_of(TWO + text) if problem.key == key]
    assert [words in problem.message for problem in found] == [True]


@pytest.mark.parametrize(
    ("said", "key", "words"),
    [
        ("aliases: {'a-*': tiny}", "aliases.a-*", "may not hold *"),
        ("aliases: {a: 'tiny-*'}", "aliases.a", "may not hold *"),
        ("aliases: {a: tiny}, models-excluded: [ti*]", "aliases.a", "is one of models-excluded"),
    ],
)
def test_further_names_at_one_provider_are_plain_names_of_what_it_serves(said: str, key: str, words: str) -> None:
    (problem,) = problems_of(f"providers: {{vllm: {{models: [tiny], {said}}}}}")
    assert problem.key == f"providers.vllm.{key}"
    assert words in problem.message
