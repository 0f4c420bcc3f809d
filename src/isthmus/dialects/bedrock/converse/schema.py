"""JSON Schemas in the form that the provider compiles.

It wants every object closed, and refuses the keywords that bound numbers, texts and lists;
their meaning is then told in the description.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html.
"""

from typing import Any

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.wire import json

_BOUNDS = frozenset(
    {
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
    }
)
_NAMED = frozenset({"properties", "$defs", "definitions"})
_LISTS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})


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
    bounds = {name: value for name, value in schema.items() if _is_bound(name, value)}
    closed = {name: _close_under(name, value) for name, value in schema.items() if name not in bounds}
    kind = schema.get("type")
    if "object" in (kind if isinstance(kind, list) else [kind]) and schema.get("additionalProperties") is not False:
        closed["additionalProperties"] = False
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
