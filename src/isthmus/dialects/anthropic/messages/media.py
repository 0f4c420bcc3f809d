"""Images and documents, and the sources they come from.

A source with more in it than the core tells is kept whole in the part's extra, under `source`.

Source: https://docs.anthropic.com/en/docs/build-with-claude/vision, /pdf-support and /files.
"""

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress

from msgspec import Raw

from isthmus.core.content import FileRef, Inline, Media, MediaKind, Source, Url
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.anthropic.messages.marks import Block, finish, read_cache
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields

_KINDS = {MediaKind.IMAGE: "image", MediaKind.DOCUMENT: "document"}
_READABLE = frozenset({"application/json", "application/xml", "application/javascript", "application/x-yaml"})
"""Media types beside `text/*` whose bytes are text, which a document can hold as such."""


def read_image(fields: Fields, body: Raw) -> Media | Foreign:
    return _read_media(MediaKind.IMAGE, fields, body)


def read_document(fields: Fields, body: Raw) -> Media | Foreign:
    return _read_media(MediaKind.DOCUMENT, fields, body)


def _read_media(kind: MediaKind, fields: Fields, body: Raw) -> Media | Foreign:
    raw = fields.need("source", fields.raw("source"))
    inner = Fields(raw, fields.at("source"))
    word = inner.need("type", inner.text("type"))
    read = _SOURCES.get(word)
    if read is None:
        return Foreign(DIALECT, body)
    source = read(inner)
    name, cache, extra = fields.text("title"), read_cache(fields), fields.rest(DIALECT)
    if word == "content" or inner.rest(DIALECT) is not None:
        extra = Extra(DIALECT, {**(extra.fields if extra else {}), "source": raw})
    return Media(kind, source, name, cache=cache, extra=extra)


def _read_base64(source: Fields) -> Inline:
    media_type = source.need("media_type", source.text("media_type"))
    return Inline(media_type, source.need("data", source.text("data")))


def _read_plain(source: Fields) -> Inline:
    media_type = source.text("media_type") or "text/plain"
    return Inline(media_type, source.need("data", source.text("data")), plain=True)


def _read_blocks(source: Fields) -> Inline:
    """A document made of blocks: its words are the text, for whoever cannot take the blocks."""
    content = source.need("content", source.raw("content"))
    if json.is_text(content):
        return Inline("text/plain", json.decode(content), plain=True)
    at = source.at("content")
    blocks = [Fields(item, f"{at}[{number}]") for number, item in enumerate(json.read_items(content, at))]
    return Inline("text/plain", "\n".join(block.text("text") or "" for block in blocks), plain=True)


def _read_url(source: Fields) -> Url:
    return Url(source.need("url", source.text("url")))


def _read_file(source: Fields) -> FileRef:
    return FileRef(DIALECT, source.need("file_id", source.text("file_id")))


_SOURCES: Mapping[str, Callable[[Fields], Source]] = {
    "base64": _read_base64,
    "text": _read_plain,
    "content": _read_blocks,
    "url": _read_url,
    "file": _read_file,
}


def write_media(media: Media, path: str, profile: ModelProfile, losses: Losses) -> Block | None:
    """None, and a loss, for what this dialect or this model does not take."""
    kind = _KINDS.get(media.kind)
    if kind is None:
        losses.drop(path, f"this dialect takes no {media.kind}")
        return None
    if not (profile.images if media.kind is MediaKind.IMAGE else profile.documents):
        losses.drop(path, f"this model takes no {kind}s")
        return None
    source = _write_source(media, path, losses)
    if source is None:
        return None
    block: Block = {"type": kind, "source": source}
    _write_name(block, media, path, losses)
    return finish(block, media.cache, media.extra, path=path, losses=losses)


def _write_name(block: Block, media: Media, path: str, losses: Losses) -> None:
    if media.name is not None:
        if media.kind is MediaKind.DOCUMENT:
            block["title"] = media.name
        else:
            losses.drop(f"{path}.name", "an image of this dialect has no name")
    if media.detail not in (None, "auto"):
        losses.drop(f"{path}.detail", "this dialect has no resolution to choose")


def _write_source(media: Media, path: str, losses: Losses) -> Block | None:
    match media.source:
        case Url(url):
            return {"type": "url", "url": url}
        case FileRef(dialect, identity):
            if dialect == DIALECT:
                return {"type": "file", "file_id": identity}
            losses.drop(path, f"the file is held by {dialect}, where this provider cannot read it")
            return None
        case Inline() as inline if media.kind is MediaKind.IMAGE:
            return {"type": "base64", "media_type": _image_type(inline.media_type), "data": inline.data}
        case Inline() as inline:
            return _write_document(inline, path, losses)


def _image_type(media_type: str) -> str:
    return "image/jpeg" if media_type == "image/jpg" else media_type


def _write_document(inline: Inline, path: str, losses: Losses) -> Block | None:
    """A PDF in base64, or plain text: this dialect knows no other document."""
    media_type = inline.media_type.partition(";")[0]
    if media_type == "application/pdf" and not inline.plain:
        return {"type": "base64", "media_type": media_type, "data": inline.data}
    text: str | None = inline.data
    if not inline.plain:
        text = _as_text(inline.data) if media_type.startswith("text/") or media_type in _READABLE else None
    if text is None:
        losses.drop(path, f"this dialect takes no document of type {media_type}")
        return None
    if media_type != "text/plain":
        losses.rewrite(path, f"a document of type {media_type} is written as plain text")
    return {"type": "text", "media_type": "text/plain", "data": text}


def _as_text(data: str) -> str | None:
    with suppress(binascii.Error, UnicodeDecodeError, ValueError):
        return b64decode(data, validate=True).decode()
    return None
