"""Content blocks as they are read, in requests and in answers: the JSON of a block and the core part it says.

A block has one member, which names its kind. One that the core has no word for is kept whole as Foreign; so are the
calls of tools that run at the provider, and their results.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from msgspec import Raw

from isthmus.core.content import Citation, Part, Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.bedrock.converse.marks import labelled, mark_last, read_point
from isthmus.dialects.bedrock.converse.media import KINDS, read_media
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields

Reader: TypeAlias = Callable[[Fields, Raw], Part]
"""From a block, of which only the member that names its kind is known to be there, and its JSON."""

SERVER_CALL = "server_tool_use"
"""The `type` of a call whose tool runs at the provider."""
_PLAIN_CALL = "tool_use"


def read_blocks(value: Raw | None, path: str) -> tuple[Part, ...]:
    """The parts of a message's `content`, with cache points set on the blocks before them."""
    return _read_parts(value, path, BLOCKS)


def spoken(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without empty texts, unless one is all there is."""
    return tuple(part for part in parts if type(part) is not Text or part.text) or parts[:1]


def _read_parts(value: Raw | None, path: str, table: Mapping[str, Reader]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for number, body in enumerate(() if value is None else json.read_items(value, path)):
        block = Fields(body, f"{path}[{number}]")
        mark = read_point(block)
        if mark is None:
            parts.append(_read_block(block, body, table))
        elif not mark_last(parts, mark):
            parts.append(Foreign(DIALECT, body))
    return tuple(parts)


def _read_block(block: Fields, body: Raw, table: Mapping[str, Reader]) -> Part:
    word = next((word for word in table if block.look(word) is not None), None)
    return Foreign(DIALECT, body) if word is None else table[word](block, body)


def _member(block: Fields, word: str) -> Fields:
    return block.need(word, block.fields(word))


def _read_text(block: Fields, _: Raw) -> Text:
    """Some models put a `type` beside the text, which says no more than the text's being there."""
    text = block.need("text", block.text("text"))
    labels = {"type": _TEXT} if block.look("type") == _TEXT and block.raw("type") is not None else {}
    return Text(text, extra=labelled(block.rest(DIALECT), labels))


_TEXT = Raw(b'"text"')


def _read_media(word: str, block: Fields, body: Raw) -> Part:
    return read_media(word, _member(block, word), body)


def _read_call(block: Fields, body: Raw) -> ToolCall | Foreign:
    call = _member(block, "toolUse")
    kind = call.text("type")
    if kind == SERVER_CALL:
        return Foreign(DIALECT, body)
    arguments = call.raw("input")
    return ToolCall(
        call.need("toolUseId", call.text("toolUseId")),
        call.need("name", call.text("name")),
        "" if arguments is None else bytes(arguments).decode(),
        extra=with_kind(call.rest(DIALECT), kind),
    )


def with_kind(extra: Extra | None, kind: str | None) -> Extra | None:
    """That of a plain call says nothing; one that is not known yet is kept beside the rest."""
    if kind is None:
        return extra
    if kind == _PLAIN_CALL:
        return labelled(extra, {"type": json.raw(kind)})
    return Extra(DIALECT, {**(extra.fields if extra is not None else {}), "type": json.raw(kind)})


def _read_result(block: Fields, body: Raw) -> ToolResult | Foreign:
    result = _member(block, "toolResult")
    if result.raw("type") is not None:
        return Foreign(DIALECT, body)
    call_id, content = result.need("toolUseId", result.text("toolUseId")), result.raw("content")
    parts = spoken(_read_parts(content, result.at("content"), RESULT_BLOCKS))
    status = result.text("status")
    # RESULT_BLOCKS reads into nothing but what a result may hold.
    return ToolResult(call_id, parts, None if status is None else status == "error", extra=result.rest(DIALECT))  # type: ignore[arg-type]


def _read_json(block: Fields, _: Raw) -> Text:
    """A result that is JSON is its text, and is known by its label to have been no text."""
    value = block.need("json", block.raw("json"))
    return Text(bytes(value).decode(), extra=labelled(None, {"json": value}))


def _read_reasoning(block: Fields, body: Raw) -> Reasoning | Foreign:
    inner = _member(block, "reasoningContent")
    if (told := inner.fields("reasoningText")) is not None:
        text, proof = told.text("text") or "", told.text("signature")
        return Reasoning(text, read_signature(proof), extra=told.rest(DIALECT))
    data = inner.text("redactedContent")
    return Foreign(DIALECT, body) if data is None else Reasoning("", read_redacted(data), redacted=True)


def read_signature(value: str | None) -> Signature | None:
    """A dialect that does not say whose model spoke: Claude's proofs are known by how they begin."""
    if not value:
        return None
    return Signature(CLAUDE if _is_claudes(value) else DIALECT, value)


def read_redacted(data: str) -> Signature:
    """Redacted content is a blob. Claude's holds the very text that Anthropic's own API gives for it."""
    try:
        inner = b64decode(data, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return Signature(DIALECT, data)
    return Signature(CLAUDE, inner) if _is_claudes(inner) else Signature(DIALECT, data)


def write_redacted(signature: Signature) -> str:
    """Undoes `read_redacted`."""
    return b64encode(signature.value.encode()).decode() if signature.vendor == CLAUDE else signature.value


def _is_claudes(value: str) -> bool:
    """Base64 of a message whose first field is of number 2 and length-delimited, as all of Claude's are."""
    return value.startswith("E") and value.isascii() and not _NOT_BASE64.intersection(value)


_NOT_BASE64 = frozenset(" !\"#$%&'()*,-.:;<>?@[\\]^_`{|}~\n\r\t")


def _read_cited(block: Fields, _: Raw) -> Text:
    """Generated text of several pieces is joined, and its pieces are kept."""
    inner = _member(block, "citationsContent")
    pieces, citations = inner.raw("content"), inner.raw("citations")
    at = inner.at("content")
    texts = [Fields(piece, at).text("text") or "" for piece in (() if pieces is None else json.read_items(pieces, at))]
    told = () if citations is None else tuple(map(read_citation, json.read_items(citations, inner.at("citations"))))
    extra = inner.rest(DIALECT)
    if pieces is not None and len(texts) > 1:
        extra = Extra(DIALECT, {**(extra.fields if extra is not None else {}), "content": pieces})
    return Text("".join(texts), citations=told, extra=extra)


def read_citation(body: Raw) -> Citation:
    """It is kept whole too: its places differ in more than the core tells."""
    fields = Fields(body)
    location = fields.fields("location")
    web = None if location is None else location.fields("web")
    quoted = [piece.text("text") or "" for piece in fields.items("sourceContent") or ()]
    return Citation(
        url=None if web is None else web.text("url"),
        title=fields.text("title"),
        quote="".join(quoted) or None,
        native=Foreign(DIALECT, body),
    )


def write_citation(citation: Citation) -> object:
    """For a client. None for one that names no source."""
    if citation.native is not None and citation.native.dialect == DIALECT:
        return citation.native.body
    if citation.url is None:
        return None
    written: dict[str, object] = {"location": {"web": {"url": citation.url}}}
    if citation.title is not None:
        written["title"] = citation.title
    if citation.quote is not None:
        written["sourceContent"] = [{"text": citation.quote}]
    return written


def write_cited(text: str, citations: Sequence[object], pieces: object = None) -> dict[str, object]:
    content = [{"text": text}] if pieces is None else pieces
    return {"citationsContent": {"content": content, "citations": citations}}


BLOCKS: Mapping[str, Reader] = {
    "text": _read_text,
    "toolUse": _read_call,
    "toolResult": _read_result,
    "reasoningContent": _read_reasoning,
    "citationsContent": _read_cited,
    **{word: partial(_read_media, word) for word in KINDS},
}
RESULT_BLOCKS: Mapping[str, Reader] = {
    "text": _read_text,
    "json": _read_json,
    **{word: partial(_read_media, word) for word in KINDS if word != "audio"},
}
