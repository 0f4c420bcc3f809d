"""Thinking in messages: `reasoning_content`, `reasoning` and `reasoning_details`, as compatible hosts spell it.

Sources: the documentation of DeepSeek (`reasoning_content`), Groq and vLLM (`reasoning`) and OpenRouter
(`reasoning` beside `reasoning_details`, whose items carry text, signatures and encrypted thoughts).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.content import Reasoning, Signature
from isthmus.core.losses import Losses
from isthmus.core.value import Extra
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.extras import SAID, fields_of
from isthmus.wire import json
from isthmus.wire.json import Fields

NAMES = ("reasoning_content", "reasoning", "reasoning_details")
_ANTHROPIC = "anthropic-claude-v1"
_TEXT, _SUMMARY, _ENCRYPTED = "reasoning.text", "reasoning.summary", "reasoning.encrypted"


def vendor_of(format_: str | None) -> str:
    """Whose signature it is, by the `format` of an item of reasoning_details."""
    if not format_:
        return "unknown"
    return "anthropic" if format_.startswith("anthropic") else format_


def format_of(vendor: str) -> str | None:
    return {"anthropic": _ANTHROPIC, "unknown": None, "": None}.get(vendor, vendor)


def read_thinking(fields: Fields) -> tuple[Reasoning, ...]:
    """The thoughts of an assistant's message: from the details where they are there, else from the text."""
    content, plain = _clear(fields, "reasoning_content"), None
    if content is None:
        plain = _clear(fields, "reasoning")
    spelled = {} if plain is None else {"reasoning": SAID}
    details = fields.items("reasoning_details")
    if details:
        text = content if content is not None else plain
        return _read_details(details, text, spelled if content is None else None)
    if content is not None:
        return (Reasoning(content),)
    return () if plain is None else (Reasoning(plain, extra=Extra(CHAT, spelled)),)


def _clear(fields: Fields, name: str) -> str | None:
    return fields.text(name) or None


def _read_details(
    items: Sequence[Fields], text: str | None, spelled: Mapping[str, Raw] | None
) -> tuple[Reasoning, ...]:
    """`spelled` is None where the text stood in reasoning_content, as we write it: then only leftovers are kept."""
    thoughts = [_read_detail(item, spelled) for item in items]
    clear = [number for number, thought in enumerate(thoughts) if not thought.redacted]
    if text and not any(thought.text for thought in thoughts):
        if len(clear) != 1:
            return (Reasoning(text), *thoughts)
        bare = thoughts[clear[0]]
        thoughts[clear[0]] = Reasoning(text, bare.signature, extra=bare.extra)
    return tuple(thoughts)


def _read_detail(item: Fields, spelled: Mapping[str, Raw] | None) -> Reasoning:
    kind, format_ = item.text("type") or _TEXT, item.text("format")
    sealed = kind == _ENCRYPTED
    proof = item.text("data" if sealed else "signature")
    signature = Signature(vendor_of(format_), proof) if proof else None
    text = item.text("summary" if kind == _SUMMARY else "text") or ""
    left = dict(fields_of(item.rest(CHAT)))
    if kind not in (_TEXT, _ENCRYPTED):
        left["type"] = json.raw(kind)
    if format_ is not None and (signature is None or format_of(signature.vendor) != format_):
        left["format"] = json.raw(format_)
    if spelled is not None:
        left = {**left, "details": SAID, **spelled}
    return Reasoning(text, signature, sealed, Extra(CHAT, left) if left else None)


def write_thinking(thoughts: Sequence[Reasoning], *, field: str | None = None) -> dict[str, Any]:
    """The message's fields for `thoughts`. `field` is where the text goes; None: where it was read, as for clients."""
    if not thoughts:
        return {}
    document: dict[str, Any] = {}
    text = "".join(thought.text for thought in thoughts)
    native = [fields_of(thought.extra) for thought in thoughts]
    detailed = any("details" in left for left in native)
    plain = any("reasoning" in left for left in native)
    if text and (plain or not detailed):
        document[field or ("reasoning" if plain else "reasoning_content")] = text
    if detailed or any(thought.signature for thought in thoughts):
        document["reasoning_details"] = [write_detail(thought) for thought in thoughts]
    return document


def write_detail(thought: Reasoning, index: int | None = None) -> dict[str, Any]:
    """One item of reasoning_details; `index` tells the items of a stream apart."""
    left = {name: value for name, value in fields_of(thought.extra).items() if name not in ("details", "reasoning")}
    document: dict[str, Any] = {"type": _ENCRYPTED if thought.redacted else _TEXT}
    proof = thought.signature.value if thought.signature else None
    if thought.redacted:
        document["data"] = proof or ""
    else:
        document["text"] = thought.text
        if proof is not None:
            document["signature"] = proof
    if thought.signature and (format_ := format_of(thought.signature.vendor)):
        document["format"] = format_
    if index is not None:
        document["index"] = index
    document.update(left)
    if left.get("type") == _SUMMARY_WORD:
        document["summary"] = document.pop("text")
    return document


_SUMMARY_WORD = json.raw(_SUMMARY)


def write_history(thoughts: Sequence[Reasoning], path: str, field: str | None, losses: Losses) -> dict[str, Any]:
    """The same for a host that takes thinking back in `field`, or None where it refuses it."""
    if not thoughts:
        return {}
    if field is None:
        losses.drop(f"{path}.reasoning", "this host takes no thinking back")
        return {}
    if field == "reasoning_content" and not any(fields_of(thought.extra) for thought in thoughts):
        return _write_clear(thoughts, path, losses)
    if field == "reasoning_details":
        return {"reasoning_details": [write_detail(thought) for thought in thoughts]}
    return write_thinking(thoughts, field=field)


def _write_clear(thoughts: Sequence[Reasoning], path: str, losses: Losses) -> dict[str, Any]:
    if any(thought.signature for thought in thoughts):
        losses.drop(f"{path}.reasoning.signature", "this host takes thinking back as plain text")
    text = "".join(thought.text for thought in thoughts)
    return {"reasoning_content": text} if text else {}
