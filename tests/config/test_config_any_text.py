"""Whatever a file holds, the answer is a configuration that compiles, or problems."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config.about import Unit
from isthmus.config.compile import compile_config
from isthmus.config.problems import ConfigProblems, Problem
from isthmus.config.scalars import write_number
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.core.secret import Secret
from support.configured import config_of

WORDS = [
    *Config.__struct_encode_fields__,
    *ProviderEntry.__struct_encode_fields__,
    *("host", "port", "name", "key", "provider", "model", "connect", "total", "request-body", "attempts", "enabled"),
    *("openai", "anthropic", "ollama", "compatible", "local", "openai/gpt", "ollama/x", "a", "b", "a/b"),
    *(
        "${KEY}",
        "${NOPE}",
        "${",
        "$${",
        "",
        "true",
        "auto",
        "http://127.0.0.1:1/v1",
        "https://[::1",
        "0",
        "8",
        "64MiB",
        "*",
    ),
]
WORD = st.sampled_from(WORDS) | st.text(max_size=8)
LEAF = WORD | st.none() | st.booleans() | st.integers() | st.floats()
TREE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=6), max_leaves=30
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "listeners": st.lists(st.dictionaries(st.sampled_from(["host", "port"]), LEAF), max_size=3),
        "client-keys": st.lists(TREE, max_size=3),
        "providers": st.dictionaries(
            st.sampled_from(["openai", "ollama", "a", "b"]),
            st.dictionaries(st.sampled_from(ProviderEntry.__struct_encode_fields__), TREE, max_size=4) | st.none(),
            max_size=3,
        ),
        "routes": st.dictionaries(WORD, st.lists(WORD, max_size=3), max_size=3),
        "aliases": st.dictionaries(WORD, WORD, max_size=4),
        "limits": TREE,
        "log": TREE,
        "local": TREE,
    },
)


def is_answered(text: str) -> None:
    """Any other exception than ConfigProblems fails the test."""
    problems: tuple[Problem, ...] = ()
    try:
        compile_config(config_of(text, {"KEY": "sk-0123456789"}))
    except ConfigProblems as bad:
        problems = bad.problems or (Problem(0, 0, "", ""),)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in problems)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    is_answered(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}[]:,-&*!|>'\"#%@?\n \ta1~<="))
def test_any_marks_are_answered(text: str) -> None:
    is_answered(text)


@settings(max_examples=300, deadline=None)
@given(TREE | SHAPED, st.booleans())
def test_any_tree_is_answered(tree: Any, flow: bool) -> None:
    is_answered(yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_cut_of_a_good_file_is_answered(data: st.DataObject) -> None:
    text = "providers:\n  openai: {api-key: '${KEY}', models: [a, b-*]}\nroutes:\n  r: [openai/a]\naliases: {x: r}\n"
    start = data.draw(st.integers(0, len(text)))
    is_answered(text[start : data.draw(st.integers(start, len(text)))])


@given(st.integers(1024, 1024**3))
def test_a_size_is_read_as_it_was_written(size: int) -> None:
    assert config_of(f"limits: {{request-body: {write_number(size, Unit.BYTES)}}}").limits.request_body == size


@given(st.text(min_size=1, max_size=40).filter(str.isprintable))
def test_a_quoted_key_is_kept_as_it_is(key: str) -> None:
    quoted = "'" + key.replace("'", "''").replace("${", "$${") + "'"
    assert config_of(f"management-key: {quoted}").management_key == Secret(key)


@pytest.mark.parametrize("depth", [100, 10_000, 500_000])
@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_no_depth_takes_the_reader_down(opening: str, depth: int) -> None:
    is_answered(opening * depth)
