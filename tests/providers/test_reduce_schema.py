"""What is left of a JSON Schema is finite, closed, and made of words the grammar converter knows."""

import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.providers.reduce_schema import ITEMS, NODES, STRING, reduce_schema

KNOWN = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum", "const"}
KNOWN |= {"anyOf", "format", "minLength", "maxLength", "minimum", "maximum"}
WORDS = [*KNOWN, "$ref", "oneOf", "allOf", "pattern", "$schema", "not", "if", "propertyNames", "exclusiveMinimum"]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["string", "object", "array", "integer", "#", "#/a", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)


def subschemas(schema: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    yield schema
    below = [*schema.get("anyOf", []), *schema.get("properties", {}).values()]  # type: ignore[attr-defined, misc] # of their kinds
    for inner in [*below, *([schema["items"]] if "items" in schema else [])]:
        yield from subschemas(inner)  # type: ignore[arg-type] # a schema


@given(values)
def test_any_json_becomes_a_bounded_schema_of_known_words(schema: object) -> None:
    for found in subschemas(reduce_schema(schema)):
        assert set(found) <= KNOWN
        if found.get("type") == "object":
            assert found["additionalProperties"] is False
            assert set(found["required"]) <= set(found["properties"])  # type: ignore[call-overload, arg-type] # lists of names
        if found.get("type") == "string" and "format" not in found:
            assert 0 <= found.get("minLength", 0) <= found["maxLength"] <= STRING  # type: ignore[operator] # numbers
        if found.get("type") == "array":
            assert 0 <= found["minItems"] <= found["maxItems"]  # type: ignore[operator] # numbers
    json.dumps(reduce_schema(schema))


@pytest.mark.parametrize(
    ("given_schema", "expected"),
    [
        ({"type": "string", "pattern": "^a"}, {"type": "string", "minLength": 0, "maxLength": STRING}),
        ({"type": "string", "maxLength": 5}, {"type": "string", "minLength": 0, "maxLength": 5}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "integer", "minimum": 1, "maximum": 1e3}, {"type": "integer", "minimum": 1}),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number"}),
        ({"enum": ["a", 1, None], "type": "string"}, {"enum": ["a", 1, None]}),
        ({"const": {"a": 1}}, {"const": {"a": 1}}),
        ({"type": ["boolean", "null"]}, {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        ({"oneOf": [{"type": "null"}, {"const": 1}]}, {"anyOf": [{"type": "null"}, {"const": 1}]}),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 9},
            {"type": "array", "items": {"type": "null"}, "minItems": 9, "maxItems": 9},
        ),
        (
            {"type": "array", "items": {"type": "null"}},
            {"type": "array", "items": {"type": "null"}, "minItems": 0, "maxItems": ITEMS},
        ),
        (True, {"type": "string", "maxLength": STRING}),
    ],
)
def test_each_kind_keeps_what_a_grammar_can_check(given_schema: object, expected: object) -> None:
    assert reduce_schema(given_schema) == expected


def test_references_are_followed_and_recursion_ends() -> None:
    node = {"type": "object", "properties": {"v": {"type": "null"}, "next": {"$ref": "#/$defs/n~1o~0de"}}}
    found = reduce_schema({"$ref": "#/$defs/n~1o~0de", "$defs": {"n/o~de": node}})
    assert found["properties"]["v"] == {"type": "null"}  # type: ignore[index] # an object
    assert len(json.dumps(found)) < 2000


def test_what_all_demand_is_demanded() -> None:
    parts = [{"$ref": "#/$defs/a"}, {"properties": {"b": {"type": "null"}}, "required": ["b"]}]
    whole = {"allOf": parts, "$defs": {"a": {"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}}}
    found = reduce_schema(whole)
    assert found["properties"] == {"a": {"const": 1}, "b": {"type": "null"}}
    assert found["required"] == ["a", "b"]


def test_a_schema_that_multiplies_is_bounded() -> None:
    bomb = {"anyOf": [{"$ref": "#"}] * 50}
    assert sum(1 for _ in subschemas(reduce_schema(bomb))) <= NODES * 51
