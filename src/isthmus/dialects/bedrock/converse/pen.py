"""Writes the parts of a request: what the provider takes from its caller."""

import hashlib
import re
from base64 import b64encode
from typing import assert_never

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import (
    Citation,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse.blocks import write_cited, write_redacted
from isthmus.dialects.bedrock.converse.marks import Block, add_extra, own_labels, write_foreign, write_point
from isthmus.dialects.bedrock.converse.media import KINDS, format_of, is_text
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.wire import json
from isthmus.wire.json import Malformed

_CALL = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NAMELESS = "document"
_WORDS: dict[MediaKind, str] = {kind: word for word, kind in KINDS.items()}
LONGEST_NAME = 200
"""Characters of a document's name that the provider takes."""


def call_id(text: str) -> str:
    """The id of a tool call, or a stand-in made from it, the same wherever the id is used."""
    return text if _CALL.fullmatch(text) else "call_" + hashlib.sha256(text.encode()).hexdigest()[:24]


class Pen:
    """What every part of one request is written with. Names of documents are remembered: no two may be the same."""

    def __init__(self, profile: ModelProfile, losses: Losses) -> None:
        self.profile = profile
        self.losses = losses
        self._names: set[str] = set()

    def write(self, part: Part, path: str) -> list[Block | Raw]:
        """The block, and its cache point behind it; nothing, and a loss, for a part that cannot be sent."""
        block: Block | Raw | None
        match part:
            case Text():
                block = self._text(part, path)
            case ToolCall():
                block = self._call(part, path)
            case ToolResult():
                block = self._result(part, path)
            case Reasoning():
                block = self._reasoning(part, path)
            case Media():
                block = self._media(part, path)
            case Refusal():
                block = self._text(Text(part.text), path)
            case Foreign():
                block = write_foreign(part, path, self.losses)
            case _:
                assert_never(part)
        blocks: list[Block | Raw] = [] if block is None else [block]
        mark = None if isinstance(part, Reasoning | Refusal | Foreign) else part.cache
        if mark is not None and blocks and self.takes_marks(path):
            blocks.append(write_point(mark))
        return blocks

    def takes_marks(self, path: str) -> bool:
        if not self.profile.cache_marks:
            self.losses.drop(f"{path}.cache", "this model takes no cache marks")
        return self.profile.cache_marks

    def _text(self, text: Text, path: str) -> Block | None:
        if not text.text:
            return None
        sent = [told for citation in text.citations if (told := self._citation(citation, path)) is not None]
        if sent:
            own = text.extra is not None and text.extra.dialect == DIALECT
            return write_cited(text.text, sent, text.extra.fields.get("content") if own and text.extra else None)
        block: Block = {"text": text.text, **own_labels(text.extra)}
        add_extra(block, text.extra, path, self.losses)
        return block

    def _citation(self, citation: Citation, path: str) -> Raw | None:
        if citation.native is not None and citation.native.dialect == DIALECT:
            return citation.native.body
        self.losses.drop(f"{path}.citations", "the provider takes back only citations of its own")
        return None

    def _reasoning(self, thought: Reasoning, path: str) -> Block | None:
        signature = thought.signature
        if signature is None or signature.vendor not in (CLAUDE, DIALECT):
            self.losses.drop(path, "the provider takes back only thoughts that it has signed")
            return None
        return write_thought(thought, signature, path, self.losses)

    def _call(self, call: ToolCall, path: str) -> Block:
        return write_call(replace(call, id=call_id(call.id)), path, self.losses)

    def _result(self, result: ToolResult, path: str) -> Block:
        content: list[Block | Raw] = []
        for place, part in enumerate(result.parts):
            at = f"{path}.parts[{place}]"
            if isinstance(part, Text):
                content.extend(self._result_text(part, at))
            elif not isinstance(part, Media) or self._fits_result(part, at):
                content.extend(block for block in self.write(part, at) if not _is_point(block))
            if not isinstance(part, Foreign) and part.cache is not None:
                self.losses.drop(f"{at}.cache", "a cache point stands behind a result, not in it")
        inner: Block = {"toolUseId": call_id(result.call_id), "content": content}
        if result.failed is not None:
            inner["status"] = "error" if result.failed else "success"
        add_extra(inner, result.extra, path, self.losses)
        return {"toolResult": inner}

    def _result_text(self, text: Text, path: str) -> list[Block | Raw]:
        if (value := own_labels(text.extra).get("json")) is not None:
            return [{"json": value}]
        block = self._text(text, path)
        return [] if block is None else [block]

    def _fits_result(self, media: Media, path: str) -> bool:
        if media.kind is MediaKind.AUDIO:
            self.losses.drop(path, "a result of this dialect holds no sound")
        return media.kind is not MediaKind.AUDIO

    def _media(self, media: Media, path: str) -> Block | None:
        word = _WORDS[media.kind]
        able = {MediaKind.IMAGE: self.profile.images, MediaKind.DOCUMENT: self.profile.documents}
        if not able.get(media.kind, self.profile.audio if media.kind is MediaKind.AUDIO else True):
            self.losses.drop(path, f"this model takes no {media.kind.value}")
            return None
        source = self._source(media, path)
        if source is None:
            return None
        if media.kind is MediaKind.DOCUMENT:
            source = {"format": source["format"], "name": self._name(media.name, path), "source": source["source"]}
        elif media.name is not None:
            self.losses.drop(f"{path}.name", "only a document of this dialect has a name")
        if media.detail not in (None, "auto"):
            self.losses.drop(f"{path}.detail", "this dialect has no resolution to choose")
        source.update(own_labels(media.extra))
        add_extra(source, media.extra, path, self.losses)
        return {word: source}

    def _source(self, media: Media, path: str) -> Block | None:
        own = "format" in own_labels(media.extra)
        form = format_of(media.kind, media.source)
        match media.source:
            case FileRef(dialect, identity) if dialect == DIALECT:
                told: Block = {"s3Location": {"uri": identity}}
            case Url(url) if url.startswith("s3://"):
                told = {"s3Location": {"uri": url}}
            case Url():
                self.losses.drop(path, "the provider fetches nothing but from S3")
                return None
            case FileRef(dialect, _):
                self.losses.drop(path, f"the file is held by {dialect}, where this provider cannot read it")
                return None
            case Inline() as inline:
                form = form or self._as_text_format(media.kind, inline, path)
                told = _inline(inline)
        if form is None and not own:
            self.losses.drop(path, f"the provider takes no {media.kind.value} of this type")
            return None
        return {"format": form, "source": told}

    def _as_text_format(self, kind: MediaKind, inline: Inline, path: str) -> str | None:
        if kind is not MediaKind.DOCUMENT or not is_text(inline):
            return None
        self.losses.rewrite(path, f"a document of type {inline.media_type} is written as plain text")
        return "txt"

    def _name(self, name: str | None, path: str) -> str:
        """The provider demands one, of letters, digits and a few marks, and no two alike."""
        wanted = _NAMELESS if name is None else _plain_name(name) or _NAMELESS
        number, given = 1, wanted
        while given in self._names:
            number += 1
            given = f"{wanted[: LONGEST_NAME - 8]} ({number})"
        self._names.add(given)
        if name is not None and given != name:
            self.losses.rewrite(f"{path}.name", f"the provider takes no such name for a document: it is {given}")
        return given


def _inline(inline: Inline) -> Block:
    """Plain text becomes bytes: not every model takes a document as text."""
    return {"bytes": b64encode(inline.data.encode()).decode() if inline.plain else inline.data}


def _is_point(block: Block | Raw) -> bool:
    return isinstance(block, dict) and "cachePoint" in block


def _plain_name(name: str) -> str:
    """ASCII letters and digits, single spaces, hyphens, brackets and parentheses."""
    return " ".join(re.sub(r"[^a-zA-Z0-9\-()\[\] ]", " ", name).split())[:LONGEST_NAME].strip()


def write_call(call: ToolCall, path: str, losses: Losses) -> Block:
    inner: Block = {
        "toolUseId": call.id,
        "name": call.name,
        "input": write_arguments(call.arguments, path, losses),
        **own_labels(call.extra),
    }
    if call.signature is not None:
        losses.drop(f"{path}.signature", "a tool call of this dialect carries no signature")
    add_extra(inner, call.extra, path, losses)
    return {"toolUse": inner}


def write_arguments(text: str, path: str, losses: Losses) -> Raw:
    if not text.strip():
        return Raw(b"{}")
    body = text.encode()
    try:
        json.read_fields(body)
    except Malformed:
        losses.rewrite(f"{path}.arguments", "arguments of this dialect are an object: the text is wrapped in one")
        return json.raw({"_raw": text})
    return Raw(body)


def write_thought(thought: Reasoning, signature: Signature | None, path: str, losses: Losses) -> Block:
    if thought.redacted:
        data = "" if signature is None else write_redacted(signature)
        return {"reasoningContent": {"redactedContent": data}}
    told: Block = {"text": thought.text}
    if signature is not None:
        told["signature"] = signature.value
    add_extra(told, thought.extra, path, losses)
    return {"reasoningContent": {"reasoningText": told}}
