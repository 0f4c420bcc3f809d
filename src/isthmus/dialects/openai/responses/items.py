"""What a model says, as items: messages, calls and thoughts. The same in an answer and in the history of a request.

An item that the core has no word for is kept whole. Source: the OpenAI API reference, "The response object", `output`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Media, Part, Reasoning, Text, ToolCall
from isthmus.core.losses import Losses
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.content import read_content
from isthmus.dialects.openai.responses.extras import ITEM, ITEM_DOT, fields_of, keep, labels_of, restore, take
from isthmus.dialects.openai.responses.names import Called, Names, fitting_id, flat_name, unwrap_input, wrap_input
from isthmus.dialects.openai.responses.signatures import read_proof
from isthmus.wire import json
from isthmus.wire.json import Fields

MESSAGE, FUNCTION_CALL, CUSTOM_CALL, REASONING = "message", "function_call", "custom_tool_call", "reasoning"
CALLS = (FUNCTION_CALL, CUSTOM_CALL)
AROUND = ("type", "id", "status", "phase")
"""What a message item says around its content, and nobody but this dialect misses."""
BETWEEN = "\n\n"
"""Stands between the parts of a summary, or of a thought told in full."""


def kind_of(fields: Fields) -> str:
    """The type of an item; a message need not name it."""
    value = fields.look("type")
    return MESSAGE if value is None else str(json.decode(value)) if json.is_text(value) else ""


def read_item(item: Raw, path: str = "") -> tuple[Part, ...]:
    """The parts of one item of a model. A message of somebody else is kept whole."""
    fields = Fields(item, path)
    reader = _READERS.get(kind_of(fields))
    parts = reader(fields) if reader is not None else None
    return (Foreign(RESPONSES, item),) if parts is None else parts


def _read_spoken(fields: Fields) -> tuple[Part, ...] | None:
    return read_message(fields) if fields.text("role") == "assistant" else None


def read_message(fields: Fields) -> tuple[Part, ...] | None:
    """The parts of a message whose role was read, the first of them labelled; None where one is of no known type."""
    parts = read_content(fields.raw("content"), fields.at("content"))
    if parts is None:
        return None
    return labelled(parts, take(fields, AROUND), fields_of(fields.rest(RESPONSES)))


def labelled(parts: tuple[Part, ...], around: Mapping[str, Raw], left: Mapping[str, Raw]) -> tuple[Part, ...]:
    """`parts` as those of one item, which is marked on the first of them where that can hold a mark."""
    if not parts or not isinstance(first := parts[0], Text | Media):
        return parts
    fields = {**fields_of(first.extra), **{ITEM_DOT + name: value for name, value in left.items()}}
    extra = Extra(RESPONSES, fields, {**labels_of(first.extra), ITEM: json.raw(around)})
    return (replace(first, extra=extra), *parts[1:])


def around_of(part: Part) -> dict[str, Raw] | None:
    """The fields around the content of the item that `part` begins, or None where it begins none."""
    extra = part.extra if isinstance(part, Text | Media) else None
    found = labels_of(extra).get(ITEM)
    if found is None:
        return None
    left = {name[len(ITEM_DOT) :]: value for name, value in fields_of(extra).items() if name.startswith(ITEM_DOT)}
    return {**json.read_fields(found), **left}


def read_call_start(fields: Fields) -> ToolCall:
    """A call of either kind, without what it is called with."""
    kind = fields.text("type")
    name, namespace = fields.text("name") or "", fields.text("namespace")
    labels = take(fields, ("id", "status"))
    if kind == CUSTOM_CALL:
        labels["custom"] = _YES
    if namespace is not None:
        labels.update(name=json.raw(name), namespace=json.raw(namespace))
    call_id = fields.text("call_id") or _text(labels.get("id")) or ""
    return ToolCall(call_id, flat_name(name, namespace), "", extra=Extra(RESPONSES, {}, labels))


_YES = Raw(b"true")


def _text(value: Raw | None) -> str | None:
    return str(json.decode(value)) if value is not None and json.is_text(value) else None


def _read_call(fields: Fields) -> tuple[Part, ...]:
    call, said = read_call_start(fields), fields.raw("arguments")
    arguments = "" if said is None else str(json.decode(said)) if json.is_text(said) else bytes(said).decode()
    return (_with_rest(replace(call, arguments=arguments), fields),)


def _read_custom(fields: Fields) -> tuple[Part, ...]:
    call = read_call_start(fields)
    return (_with_rest(replace(call, arguments=wrap_input(fields.text("input") or "")), fields),)


def _with_rest(call: ToolCall, fields: Fields) -> ToolCall:
    return replace(call, extra=keep(fields, labels_of(call.extra)))


def called(call: ToolCall, names: Names) -> Called:
    """What is said of the call in this dialect, by what it says itself, else by the tools there are."""
    labels = labels_of(call.extra)
    if "custom" in labels or "namespace" in labels:
        name, namespace = _text(labels.get("name")) or call.name, _text(labels.get("namespace"))
        return Called(name, namespace, "custom" in labels)
    return names.get(call.name, Called(call.name))


def write_call(call: ToolCall, names: Names, path: str, losses: Losses) -> dict[str, Any]:
    """The item, with the id that it came with, if any."""
    target, labels = called(call, names), labels_of(call.extra)
    document: dict[str, Any] = {"type": CUSTOM_CALL if target.custom else FUNCTION_CALL}
    document.update({name: labels[name] for name in ("id", "status") if name in labels})
    document.update(call_id=fitting_id(call.id), name=target.name)
    if target.namespace is not None:
        document["namespace"] = target.namespace
    document.update(write_arguments(call.arguments, target, path, losses))
    if call.signature is not None:
        losses.drop(f"{path}.signature", "a call of this dialect cannot carry a signature")
    if call.cache is not None:
        losses.drop("cache_control", "this dialect has no cache marks")
    restore(document, call.extra, path, losses)
    return document


def write_arguments(arguments: str, target: Called, path: str, losses: Losses) -> dict[str, str]:
    if not target.custom:
        return {"arguments": arguments or "{}"}
    text = unwrap_input(arguments)
    if text is None:
        losses.rewrite(f"{path}.arguments", "a custom tool takes one text, so it gets the arguments as they are")
    return {"input": arguments if text is None else text}


def _read_reasoning(fields: Fields) -> tuple[Part, ...]:
    """The thought in full where it is told, else its summary. How it was told is kept as it is."""
    fields.text("type")
    labels = take(fields, ("id", "status"))
    summary, content = _texts(fields, "summary", labels), _texts(fields, "content", labels)
    text = BETWEEN.join(content or summary)
    proof = fields.text("encrypted_content")
    signature, redacted = (None, False) if proof is None else read_proof(proof, shown=bool(text))
    if signature is None and proof is not None:
        labels["unsigned"] = _YES
    return (Reasoning(text, signature, redacted, keep(fields, labels)),)


def _texts(fields: Fields, name: str, labels: dict[str, Raw]) -> list[str]:
    """The texts of a list; the list itself becomes a label."""
    value = fields.raw(name)
    if value is None:
        return []
    labels[name] = value
    path = fields.at(name)
    items = [Fields(item, f"{path}[{number}]") for number, item in enumerate(json.read_items(value, path))]
    return [text for item in items if (text := item.text("text"))]


_READERS: Mapping[str, Callable[[Fields], tuple[Part, ...] | None]] = {
    MESSAGE: _read_spoken,
    FUNCTION_CALL: _read_call,
    CUSTOM_CALL: _read_custom,
    REASONING: _read_reasoning,
}


def write_thought(part: Reasoning, proof: str | None, path: str, losses: Losses) -> dict[str, Any]:
    """The item: as it was told here, else with the text as a summary."""
    labels = labels_of(part.extra)
    document: dict[str, Any] = {"type": REASONING}
    document.update({name: labels[name] for name in ("id", "status", "summary", "content") if name in labels})
    if "summary" not in labels and "content" not in labels:
        document.update(told_thought(part.text, in_full="in_full" in labels))
    if proof is not None:
        document["encrypted_content"] = proof
    restore(document, part.extra, path, losses)
    return document


def told_thought(text: str, *, in_full: bool) -> dict[str, Sequence[dict[str, str]]]:
    """The fields of a thought's text: a summary, or the whole of it."""
    if in_full:
        return {"summary": [], "content": [{"type": "reasoning_text", "text": text}]}
    return {"summary": [{"type": "summary_text", "text": text}] if text else []}
