"""Whatever a file holds, the answer is a configuration that compiles, or problems."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, get_args, get_origin

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from isthmus.config.about import Unit, unwrap
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
        "0.5",
        "10%",
        "64MiB",
        "*",
    ),
]
WORD = st.sampled_from(WORDS) | st.text(max_size=8)
LEAF = WORD | st.none() | st.booleans() | st.integers() | st.floats()
TREE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=6), max_leaves=30
)


@st.composite
def records(draw: st.DrawFn, kind: type[Struct]) -> dict[str, Any]:
    """Some of the keys of `kind`, each with something like what it takes."""
    hints = {field.encode_name: field.type for field in fields(kind)}
    names = draw(st.lists(st.sampled_from(list(hints)), max_size=4, unique=True))
    return {name: draw(LEAF | shaped(hints[name])) for name in names}


def shaped(hint: Any) -> st.SearchStrategy[Any]:
    """Values in the shape that the schema asks for, down to words that may be wrong."""
    kind, _ = unwrap(hint)
    if get_origin(kind) is tuple:
        return st.lists(shaped(get_args(kind)[0]), max_size=3)
    if get_origin(kind) is Mapping:
        return st.dictionaries(WORD, shaped(get_args(kind)[1]), max_size=3)
    if issubclass(kind, Struct):
        return records(kind)
    return st.sampled_from(list(kind)).map(str) if issubclass(kind, StrEnum) else LEAF


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
@given(TREE | records(Config), st.booleans())
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
