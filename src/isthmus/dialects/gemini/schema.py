"""Schemas: Google's own subset of OpenAPI as JSON Schema, and JSON Schema as the provider takes it.

A schema is given to the provider as JSON Schema (`parametersJsonSchema`, `responseJsonSchema`), of which it
takes most and passes over the rest. What it would refuse or misread is spelled otherwise, least change first.

Source: https://ai.google.dev/api/caching (Schema, FunctionDeclaration), /api/generate-content (responseJsonSchema).
"""

from typing import Any

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.dialects.gemini.spelling import camel
from isthmus.wire import json

_NUMBERS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
"""Numbers that Protocol Buffers' JSON may spell as strings."""
_NAMED = ("properties", "$defs", "definitions", "patternProperties")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "contains")
_OLD_DEFINITIONS = "#/definitions/"


def read_schema(schema: Raw) -> Raw:
    """Google's schema (types in capitals, `nullable`) as JSON Schema. What is JSON Schema already stays as it is."""
    told = json.decode(schema)
    read = _read(told)
    return schema if read == told else json.raw(read)


def _read(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    named = {camel(name): value for name, value in schema.items()}
    read = {name: _read_under(name, value) for name, value in named.items() if name != "nullable"}
    if read.get("format") == "enum":
        del read["format"]
    return _nullable(read) if named.get("nullable") is True else read


def _read_under(name: str, value: Any) -> Any:
    if name in _NAMED and isinstance(value, dict):
        return {key: _read(inner) for key, inner in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_read(inner) for inner in value]
    if name == "type":
        return _read_type(value)
    if name in _NUMBERS and isinstance(value, str) and value.isdecimal():
        return int(value)
    return _read(value) if name in _SINGLE else value


def _read_type(value: Any) -> Any:
    if isinstance(value, list):
        return [_read_type(one) for one in value]
    return value.lower() if isinstance(value, str) and value.isupper() else value


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null":
        told = {**schema, "type": [kind, "null"]}
        if "enum" in told and None not in told["enum"]:
            told["enum"] = [*told["enum"], None]
        return told
    if "anyOf" in schema and {"type": "null"} not in schema["anyOf"]:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


def adapt_schema(schema: Raw, path: str, losses: Losses) -> Raw:
    """The same schema, word for word when the provider takes it as it is.

    `const` is an `enum` of one, which the provider keeps to; `definitions` are `$defs`; a schema that is
    true stands for an empty one.
    """
    told = json.decode(schema)
    adapted = _adapt(told)
    if not isinstance(adapted, dict):
        adapted = {}
    if adapted == told:
        return schema
    losses.rewrite(path, "the provider knows const as an enum of one, and definitions as $defs")
    return json.raw(adapted)


def _adapt(schema: Any) -> Any:
    if schema is True:
        return {}
    if not isinstance(schema, dict):
        return schema
    adapted = {_adapt_name(name): _adapt_under(name, value) for name, value in schema.items() if name != "const"}
    if "const" in schema:
        adapted["enum"] = [schema["const"]]
    return adapted


def _adapt_name(name: str) -> str:
    return "$defs" if name == "definitions" else name


def _adapt_under(name: str, value: Any) -> Any:
    """Schemas stand under some keywords; under others stand plain values, which stay."""
    if name in _NAMED and isinstance(value, dict):
        return {key: _adapt(inner) for key, inner in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_adapt(inner) for inner in value]
    if name == "$ref" and isinstance(value, str) and value.startswith(_OLD_DEFINITIONS):
        return "#/$defs/" + value.removeprefix(_OLD_DEFINITIONS)
    if name == "additionalProperties" and isinstance(value, bool):
        return value
    return _adapt(value) if name in _SINGLE else value
