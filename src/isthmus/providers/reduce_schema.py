"""A tool's JSON Schema as a grammar for a small model: what llama.cpp's converter takes, closed and bounded.

What is left permits only finite answers of moderate length, because a small model that may
go on does. Whatever matches the reduced schema matches the given one in shape; what a
grammar cannot check (patterns, formats other than dates, exclusive conditions) is not checked.

Source for what is taken: grammars/README.md of github.com/ggml-org/llama.cpp, "JSON Schemas to GBNF".
"""

from collections.abc import Mapping, Sequence

DEPTH = 8
"""Levels of nesting; what lies deeper becomes a string. Recursive schemas end here."""
STRING = 200
"""Characters of a string at most."""
ITEMS = 6
"""Items of an array at most, unless more are demanded."""
DEMANDED = 100
"""Items of an array at most, however many are demanded."""
NODES = 2000
"""Subschemas in all; references can multiply without end. The rest become strings."""

_FORMATS = ("date", "time", "date-time", "uuid")
_ANY: Mapping[str, object] = {"type": "string", "maxLength": STRING}


def reduce_schema(schema: object) -> Mapping[str, object]:
    """The schema for `schema`, any JSON value."""
    return _Reduction(schema).reduce(schema, 0)


class _Reduction:
    """One document on its way. `root` is what references are resolved in."""

    def __init__(self, root: object) -> None:
        self.root = root
        self.left = NODES

    def reduce(self, schema: object, depth: int) -> Mapping[str, object]:
        self.left -= 1
        if not isinstance(schema, dict) or depth > DEPTH or self.left < 0:
            return _ANY
        if isinstance(target := schema.get("$ref"), str):
            return self.reduce(_resolve(target, self.root), depth + 1)
        if "const" in schema:
            return {"const": schema["const"]}
        if isinstance(values := schema.get("enum"), list) and values:
            return {"enum": values}
        if options := self._options(schema):
            return {"anyOf": [self.reduce(option, depth + 1) for option in options]}
        if isinstance(members := schema.get("allOf"), list) and members:
            return self.reduce(_merge([schema, *members], self.root), depth + 1)
        return self._plain(schema, depth)

    def _options(self, schema: Mapping[str, object]) -> Sequence[object]:
        for word in ("anyOf", "oneOf"):
            if isinstance(options := schema.get(word), list):
                return options
        kinds = schema.get("type")
        return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else ()

    def _plain(self, schema: Mapping[str, object], depth: int) -> Mapping[str, object]:
        kind = schema.get("type")
        if kind == "object" or (kind is None and "properties" in schema):
            return self._object(schema, depth)
        if kind == "array" or (kind is None and "items" in schema):
            return self._array(schema, depth)
        if kind == "integer":
            return {"type": "integer", **_whole(schema, "minimum", "maximum")}
        if kind in ("number", "boolean", "null"):
            return {"type": kind}
        return _string(schema)

    def _object(self, schema: Mapping[str, object], depth: int) -> Mapping[str, object]:
        given = schema.get("properties")
        properties = (
            {} if not isinstance(given, dict) else {name: value for name, value in given.items() if value is not False}
        )
        wanted = schema.get("required")
        required = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []
        if depth >= DEPTH:
            properties = {name: value for name, value in properties.items() if name in required}
        for name in required:
            properties.setdefault(name, {})
        return {
            "type": "object",
            "properties": {name: self.reduce(value, depth + 1) for name, value in properties.items()},
            "required": required,
            "additionalProperties": False,
        }

    def _array(self, schema: Mapping[str, object], depth: int) -> Mapping[str, object]:
        bounds = _whole(schema, "minItems", "maxItems")
        least = max(0, min(bounds.get("minItems", 0), DEMANDED))
        most = max(least, min(bounds.get("maxItems", ITEMS), ITEMS))
        items = self.reduce(schema.get("items"), depth + 1)
        return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _string(schema: Mapping[str, object]) -> Mapping[str, object]:
    if schema.get("format") in _FORMATS:
        return {"type": "string", "format": schema["format"]}
    bounds = _whole(schema, "minLength", "maxLength")
    least = max(0, min(bounds.get("minLength", 0), STRING))
    return {"type": "string", "minLength": least, "maxLength": max(least, min(bounds.get("maxLength", STRING), STRING))}


def _whole(schema: Mapping[str, object], *names: str) -> dict[str, int]:
    """Those of the fields that are whole numbers of moderate size."""
    found = {name: schema.get(name) for name in names}
    return {name: value for name, value in found.items() if type(value) is int and abs(value) < 1 << 53}


def _resolve(target: str, root: object) -> object:
    """What a reference into the same document stands for; anything for one that leads elsewhere."""
    found = root
    for step in target.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if target.startswith("#") else None


def _merge(members: Sequence[object], root: object) -> Mapping[str, object]:
    """One schema that asks for what all ask for, as far as plain objects go."""
    merged: dict[str, object] = {}
    properties: dict[str, object] = {}
    required: list[object] = []
    for member in members:
        target = member.get("$ref") if isinstance(member, dict) else None
        known = _resolve(target, root) if isinstance(target, str) else member
        if isinstance(known, dict):
            merged |= {name: value for name, value in known.items() if name not in ("allOf", "properties", "required")}
            properties |= known["properties"] if isinstance(known.get("properties"), dict) else {}
            required += known["required"] if isinstance(known.get("required"), list) else []
    return merged | ({"properties": properties, "required": required} if properties or required else {})
