"""Whatever such a file holds, it is read or refused with problems; nothing of it is printed, and nothing breaks."""

from collections.abc import Mapping
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from isthmus.config.imports import (
    codex,
    litellm,
    litellm_tables,
    llm_mux,
    llms,
    llms_models,
    truckllm,
)
from isthmus.config.imports.beside import Beside
from isthmus.config.imports.documents import Document
from isthmus.config.imports.draft import Table
from isthmus.config.imports.kinds import KINDS
from isthmus.config.nodes import Broken
from isthmus.config.problems import ConfigProblems
from support.importing import FILES, foreign, problems, taken_over, text_of

TABLES: Mapping[str, list[Table]] = {
    "llm-mux": [llm_mux.TOP, llm_mux.PROVIDER, llm_mux.ROUTING, llm_mux.REMOTE],
    "truckllm": [truckllm.TOP, truckllm.PROVIDER, truckllm.KEY, truckllm.POLICY, truckllm.LOGGING, truckllm.PRICING],
    "llms": [llms.TOP, llms.PROVIDER, llms.DEFAULTS, llms_models.FACTS, llms_models.COST],
    "codex": [codex.TOP],
    "litellm": [
        litellm.TOP,
        litellm.GENERAL,
        litellm.ROUTER,
        litellm.LITELLM,
        litellm_tables.PARAMS,
        litellm_tables.FACTS,
        litellm_tables.DEPLOYMENT,
    ],
}
WORDS = [
    "",
    "openai",
    "anthropic",
    "${A}",
    "${",
    "$A",
    "os.environ/A",
    "a:b",
    "a/b",
    "*",
    ":8080",
    "true",
    "é",
    "a" * 80,
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10**6),
    st.floats(allow_nan=True),
    st.sampled_from(WORDS),
    st.text(max_size=9),
)


def documents(kind: str) -> st.SearchStrategy[object]:
    """Documents whose keys are those that the system knows, or not."""
    known = st.sampled_from([*sorted({name for table in TABLES[kind] for name in table}), "zork"])
    values = st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(known, inner, max_size=6), max_leaves=25
    )
    return st.dictionaries(known, values, min_size=1, max_size=8)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_document_of_its_keys_is_read(kind: str, data: st.DataObject) -> None:
    KINDS[kind].read(data.draw(documents(kind)), Beside())


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_text_of_its_keys_is_a_configuration_or_problems(kind: str, data: st.DataObject) -> None:
    text = yaml.safe_dump(data.draw(documents(kind)), allow_unicode=True)
    with suppress(ConfigProblems, Broken):
        taken_over(foreign(text, {"A": "a-variable"}, kind=kind).text, {"A": "a-variable"})


@pytest.mark.parametrize("file", FILES)
@given(data=st.data())
def test_a_specimen_with_one_value_replaced_is_a_configuration_or_problems(file: str, data: st.DataObject) -> None:
    whole = Document(text_of(file)).whole
    path = data.draw(st.sampled_from(_paths(whole)))
    text = yaml.safe_dump(_replaced(whole, path, data.draw(SCALARS)), allow_unicode=True)
    assert all(one.line >= 1 for one in problems(text))


def _paths(value: object) -> list[tuple[str | int, ...]]:
    """The ways to every value in a document."""
    if isinstance(value, dict):
        found = value.items()
    elif isinstance(value, list):
        found = dict(enumerate(value)).items()
    else:
        return [()]
    return [(key, *path) for key, inner in found for path in [(), *_paths(inner)]]


def _replaced(value: object, path: tuple[str | int, ...], new: object) -> object:
    if not path:
        return new
    first, *rest = path
    if isinstance(value, dict):
        return {key: _replaced(inner, tuple(rest), new) if key == first else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [_replaced(inner, tuple(rest), new) if index == first else inner for index, inner in enumerate(value)]
