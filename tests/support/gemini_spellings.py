"""What two bodies of Gemini's dialect that say the same may spell otherwise.

Of either: a null field, and no field.
Of a request: snake case and camel case; the list of one and the one by itself; `parameters` in Google's schema and
`parametersJsonSchema`, and so of the answer's; the role of the system text; `includeThoughts: false` and none;
the results of one turn and the words behind them in one content or in two; a blank text beside others, and none; a
number with and without its point; a level in capitals or not; several tool objects or one; an empty configuration;
base64 in either alphabet.
Of an answer: no `index` and that of its place; no content, and one that has nothing but its role; the `id` of a call
that has none; arguments that are not there and `{}`.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.dialects.gemini.schema import read_schema
from isthmus.dialects.gemini.spelling import camel
from isthmus.wire import json

AS_IT_IS = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema"})
"""Fields whose content is the caller's own."""
SCHEMAS = {"parameters": "parametersJsonSchema", "responseSchema": "responseJsonSchema"}


def plain_request(body: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = _spelled(json.decode(body))
    plain.get("systemInstruction", {}).pop("role", None)
    plain["contents"] = _joined([_content(content) for content in plain["contents"]])
    plain["tools"] = [{name: value} for tool in plain.get("tools", ()) for name, value in tool.items()]
    config = plain.pop("generationConfig", {})
    thinking = config.get("thinkingConfig", {})
    if not thinking.get("includeThoughts", True):
        del thinking["includeThoughts"]
    if "thinkingLevel" in thinking:
        thinking["thinkingLevel"] = thinking["thinkingLevel"].upper()
    return {**plain, "generationConfig": config} if config else plain


def plain_answer(body: bytes) -> dict[str, Any]:
    plain: dict[str, Any] = json.decode(body)
    for number, candidate in enumerate(plain.get("candidates", ())):
        candidate.setdefault("index", number)
        candidate.setdefault("content", {"role": "model"})
        for part in candidate.get("content", {}).get("parts", ()):
            if (call := part.get("functionCall")) is not None:
                call.setdefault("args", {})
                call["id"] = "" if str(call.get("id", "")).startswith("gcall_") else call.get("id", "")
    return plain


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if not isinstance(value, Mapping):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    spelled: dict[str, Any] = {}
    for name, item in ((camel(name), item) for name, item in value.items() if item is not None):
        if name in SCHEMAS and isinstance(item, Mapping):
            spelled[SCHEMAS[name]] = json.decode(read_schema(json.raw(item)))
        elif name == "data":
            spelled[name] = item.replace("-", "+").replace("_", "/")
        else:
            spelled[name] = item if name in AS_IT_IS else _spelled(item)
    return spelled


def _content(content: dict[str, Any]) -> dict[str, Any]:
    parts = content["parts"]
    kept = [part for part in parts if part != {"text": ""}] if len(parts) > 1 else parts
    return {"role": "user" if content.get("role", "user") == "function" else content.get("role", "user"), "parts": kept}


def _joined(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    joined: list[dict[str, Any]] = []
    for content in contents:
        last = joined[-1] if joined else None
        if last is not None and last["role"] == content["role"] == "user" and "functionResponse" in last["parts"][0]:
            last["parts"] = [*last["parts"], *content["parts"]]
        else:
            joined.append(content)
    return joined
