"""Parts of a turn, as both sides of a conversation send them, read into the core's.

A part that the core has no word for (`executableCode`, `toolCall`...) is kept whole as Foreign.

Source: https://ai.google.dev/api/caching (Content, Part).
"""

from collections.abc import Callable, Sequence

from msgspec import Raw

from isthmus.core.content import Part, Reasoning, Signature, Text, ToolCall
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate.media import read_file, read_inline
from isthmus.dialects.gemini.generate.signatures import read_proof
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT, VENDOR
from isthmus.wire import json

ALONE = Extra(DIALECT, {}, {"text": Raw(b'""')})
"""Of a signature that came in a part of its own, whose text is empty, and not with the text before it."""
NameCall = Callable[[str | None, str, str], str]
"""The id of a call, from the one it was given if any, its name and its arguments."""


def read_part(body: Raw, path: str, name_call: NameCall) -> Sequence[Part]:
    """The parts of one. A signed text is two: the text, and a thought of which only the proof is told."""
    fields = Camel(body, path)
    names = fields.names()
    if "text" in names:
        return _read_text(fields)
    if "functionCall" in names:
        return (_read_call(fields, name_call),)
    thought, proof = fields.look("thought"), fields.look("thoughtSignature")
    if thought is None and proof is None:
        if (blob := fields.inner("inlineData")) is not None:
            return (read_inline(blob, fields.rest(DIALECT)),)
        if (file := fields.inner("fileData")) is not None:
            return (read_file(file, fields.rest(DIALECT)),)
    return (Foreign(DIALECT, body),) if names else ()


def _read_text(fields: Camel) -> Sequence[Part]:
    text, thought = fields.text("text") or "", fields.flag("thought")
    signature, sealed = read_proof(fields.text("thoughtSignature"))
    extra = fields.rest(DIALECT)
    if thought:
        return (Reasoning(text, signature, sealed, extra),)
    if signature is None:
        return (Text(text, extra=extra),)
    if not text:
        return (sealed_by(signature, alone=True),)
    return Text(text, extra=extra), sealed_by(signature, alone=False)


def sealed_by(signature: Signature, *, alone: bool) -> Reasoning:
    """What the model thought beside a text: nothing is told of it but the proof."""
    return Reasoning("", signature, redacted=True, extra=ALONE if alone else None)


def is_seal(part: Part) -> bool:
    """Is it the proof of a thought that Google does not tell?"""
    return type(part) is Reasoning and part.redacted and part.signature is not None and part.signature.vendor == VENDOR


def stands_alone(part: Reasoning) -> bool:
    return part.extra is not None and part.extra.dialect == DIALECT and "text" in part.extra.labels


def _read_call(fields: Camel, name_call: NameCall) -> ToolCall:
    call = fields.need("functionCall", fields.inner("functionCall"))
    signature = read_proof(fields.text("thoughtSignature")).signature
    name, arguments = call.text("name") or "", call.raw("args")
    text = "" if arguments is None else bytes(arguments).decode()
    identity = name_call(call.text("id"), name, text)
    extra, inner = fields.rest(DIALECT), call.rest(DIALECT)
    if inner is not None:
        told = {f"functionCall.{field}": value for field, value in inner.fields.items()}
        extra = Extra(DIALECT, {**(extra.fields if extra else {}), **told})
    return ToolCall(identity, name, text, signature, extra=extra)


def arguments_of(text: str) -> Raw | None:
    """The arguments as an object, or None for text that is none."""
    if not text.strip():
        return Raw(b"{}")
    body = text.encode(errors="replace")
    try:
        json.read_fields(body)
    except json.Malformed:
        return None
    return Raw(body)
