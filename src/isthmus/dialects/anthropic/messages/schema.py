"""JSON Schemas in the form that the provider compiles.

It wants every object closed, and refuses the keywords that bound numbers, texts and lists;
their meaning is then told in the description, as its own SDKs do.

Source: https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs (JSON Schema limitations).
"""

from typing import Any

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.wire import json

_BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
_NAMED = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")


def close_schema(schema: Raw, path: str, losses: Losses) -> Raw:
    """The same schema, word for word when the provider takes it as it is."""
    told = json.decode(schema)
    closed = _close(told)
    if closed == told:
        return schema
    losses.rewrite(path, "the provider takes closed objects and no bounds: bounds are told in descriptions")
    return json.raw(closed)


def _close(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    closed = {name: _close_under(name, value) for name, value in schema.items() if not _is_bound(name, value)}
    if "object" in _types(schema) and schema.get("additionalProperties") is not False:
        closed["additionalProperties"] = False
    bounds = {name: value for name, value in schema.items() if _is_bound(name, value)}
    if bounds:
        words = json.encode(bounds).decode()
        closed["description"] = f"{schema['description']} {words}" if "description" in schema else words
    return closed


def _close_under(name: str, value: Any) -> Any:
    """Schemas stand under some keywords; under others stand plain values, which stay."""
    if name in _NAMED and isinstance(value, dict):
        return {key: _close(inner) for key, inner in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_close(inner) for inner in value]
    return _close(value) if name == "items" else value


def _is_bound(name: str, value: Any) -> bool:
    return name in _BOUNDS or (name == "minItems" and value not in (0, 1))


def _types(schema: dict[str, Any]) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind]
