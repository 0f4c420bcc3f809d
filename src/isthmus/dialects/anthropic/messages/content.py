"""Content blocks, shared by requests and replies: the JSON of a block and the core part it says.

A block that the core has no word for is kept whole as Foreign. Nothing here decides which
block may stand in which turn (see turns.py).

Source: https://docs.anthropic.com/en/api/messages (content), /en/docs/build-with-claude/citations.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Raw

from isthmus.core.content import Citation, Part, Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.anthropic.messages.marks import Block, finish, read_cache
from isthmus.dialects.anthropic.messages.media import read_document, read_image
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

Reader: TypeAlias = Callable[[Fields, Raw], Part]

MARK = "isthmus:"
"""Opens a thinking signature that stands in for one which is not Anthropic's: `isthmus:VENDOR:VALUE`."""


def read_content(value: Raw | None, path: str) -> tuple[Part, ...]:
    """The parts of an answer's `content`: a string, a list of blocks, or nothing."""
    return _read_parts(value, path, BLOCKS)


def read_asked(value: Raw | None, path: str) -> tuple[Part, ...]:
    """The same in a request, where providers refuse empty text: it is left out, unless it is all there is."""
    return spoken(read_content(value, path))


def _read_parts(value: Raw | None, path: str, table: Mapping[str, Reader]) -> tuple[Part, ...]:
    if value is None:
        return ()
    if json.is_text(value):
        return (Text(json.decode(value)),)
    items = json.read_items(value, path)
    return tuple(_read_block(item, f"{path}[{number}]", table) for number, item in enumerate(items))


def spoken(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without empty texts, unless one is all there is."""
    return tuple([part for part in parts if type(part) is not Text or part.text]) or parts[:1]


def _read_block(body: Raw, path: str, table: Mapping[str, Reader]) -> Part:
    fields = Fields(body, path)
    kind = fields.need("type", fields.text("type"))
    read = table.get(kind)
    return Foreign(DIALECT, body) if read is None else read(fields, body)


def _read_text(fields: Fields, _: Raw) -> Text:
    text = fields.need("text", fields.text("text"))
    citations = fields.raw("citations")
    return Text(
        text,
        read_cache(fields),
        () if citations is None else tuple(map(read_citation, json.read_items(citations, fields.at("citations")))),
        fields.rest(DIALECT),
    )


def read_citation(body: Raw) -> Citation:
    """A citation of any kind. It is kept whole too: its kinds differ in more than the core tells."""
    fields = Fields(body)
    title = fields.text("title")
    return Citation(
        url=fields.text("url") or fields.text("source"),
        title=title or fields.text("document_title"),
        quote=fields.text("cited_text"),
        native=Foreign(DIALECT, body),
    )


def write_citation(citation: Citation) -> object:
    """For a client, who knows web results as the kind that carries a URL. None for one that names no source."""
    if citation.native is not None and citation.native.dialect == DIALECT:
        return citation.native.body
    if citation.url is None:
        return None
    return {
        "type": "web_search_result_location",
        "cited_text": citation.quote or "",
        "encrypted_index": "",
        "title": citation.title,
        "url": citation.url,
    }


def _read_thinking(fields: Fields, _: Raw) -> Reasoning:
    text = fields.text("thinking") or ""
    return Reasoning(text, read_signature(fields.text("signature")), extra=fields.rest(DIALECT))


def _read_redacted(fields: Fields, _: Raw) -> Reasoning:
    data = fields.need("data", fields.text("data"))
    return Reasoning("", read_signature(data), redacted=True, extra=fields.rest(DIALECT))


def read_signature(value: str | None) -> Signature | None:
    """Undoes `write_signature`."""
    if not value:
        return None
    if not value.startswith(MARK):
        return Signature(DIALECT, value)
    vendor, _, proof = value[len(MARK) :].partition(":")
    return Signature(vendor, proof) if vendor or proof else None


def write_signature(signature: Signature | None) -> str:
    """For a client, which insists on one: Anthropic's own, or another vendor's in disguise."""
    if signature is None:
        return f"{MARK}:"
    return signature.value if signature.vendor == DIALECT else f"{MARK}{signature.vendor}:{signature.value}"


def _read_call(fields: Fields, _: Raw) -> ToolCall:
    identity = fields.need("id", fields.text("id"))
    name = fields.need("name", fields.text("name"))
    arguments = fields.raw("input")
    return ToolCall(
        identity,
        name,
        "" if arguments is None else bytes(arguments).decode(),
        cache=read_cache(fields),
        extra=fields.rest(DIALECT),
    )


def write_call(call: ToolCall, identity: str, path: str, losses: Losses) -> Block:
    """`identity` is the call's id as the reader takes it."""
    arguments = _write_arguments(call.arguments, path, losses)
    block: Block = {"type": "tool_use", "id": identity, "name": call.name, "input": arguments}
    if call.signature is not None:
        losses.drop(f"{path}.signature", "a tool call of this dialect carries no signature")
    if call.cache is None and call.extra is None:
        return block
    return finish(block, call.cache, call.extra, path=path, losses=losses)


def _write_arguments(text: str, path: str, losses: Losses) -> Raw:
    if not text or text.isspace():
        return Raw(b"{}")
    body = text.encode()
    try:
        json.read_fields(body)
    except Malformed:
        losses.rewrite(f"{path}.arguments", "arguments of this dialect are an object: the text is wrapped in one")
        return json.raw({"_raw": text})
    return Raw(body)


def _read_result(fields: Fields, _: Raw) -> ToolResult:
    call_id = fields.need("tool_use_id", fields.text("tool_use_id"))
    parts = spoken(_read_parts(fields.raw("content"), fields.at("content"), RESULT_BLOCKS))
    failed = fields.flag("is_error")
    # RESULT_BLOCKS reads into nothing but these three.
    return ToolResult(call_id, parts, failed, read_cache(fields), fields.rest(DIALECT))  # type: ignore[arg-type]


BLOCKS: Mapping[str, Reader] = {
    "text": _read_text,
    "image": read_image,
    "document": read_document,
    "tool_use": _read_call,
    "tool_result": _read_result,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
}
RESULT_BLOCKS: Mapping[str, Reader] = {"text": _read_text, "image": read_image, "document": read_document}


def plain_text(blocks: list[Block | Raw]) -> str | None:
    """The text, when it is all that the blocks say: such content is written as a string."""
    if len(blocks) == 1 and type(block := blocks[0]) is dict and len(block) == 2 and "text" in block:
        return str(block["text"])
    return None
