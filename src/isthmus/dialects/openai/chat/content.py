"""What a message says: its `content`, as a string or as a list of parts.

Source: the OpenAI API reference, "Create chat completion", content parts; `video_url`, `audio_url`,
`cache_control` and `thinking` parts are what compatible hosts add.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.content import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Source,
    Text,
    Url,
    only_text,
)
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.extras import SAID, fields_of, is_ours, keep, restore
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


class Host(NamedTuple):
    """Whom we write for, and where we note what it cannot be told."""

    profile: ModelProfile
    losses: Losses


Written = dict[str, Any] | Raw


def read_content(value: Raw | None, path: str) -> tuple[Part, ...]:
    """The parts of a content that is a string, a list of parts, or not there."""
    if value is None:
        return ()
    if json.is_text(value):
        return (Text(json.decode(value)),)
    if memoryview(value)[0] != ord("["):
        raise Malformed(f"{path} must be a string or a list of parts", path)
    return tuple(read_part(item, f"{path}[{number}]") for number, item in enumerate(json.read_items(value, path)))


def without_blanks(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Empty texts are no parts, unless one is all there is: providers refuse blank blocks."""
    full = tuple(part for part in parts if not (isinstance(part, Text) and part.text == ""))
    return full or parts[:1]


def write_content(parts: Sequence[Part], path: str, host: Host) -> str | list[Written] | None:
    """The content: a string where it is one plain text or the host takes no lists, None where there is nothing."""
    if (words := only_text(parts)) is not None:
        return words
    written = [one for number, part in enumerate(parts) if (one := write_part(part, f"{path}[{number}]", host))]
    if not written:
        return None
    first = written[0]
    if len(written) == 1 and isinstance(first, dict) and first.keys() == {"type", "text"}:
        return str(first["text"])
    return written if host.profile.content_lists else _flat(written, path, host.losses)


def _flat(written: Sequence[Written], path: str, losses: Losses) -> str:
    texts = [str(one["text"]) for one in written if isinstance(one, dict) and one["type"] == "text"]
    if len(texts) < len(written):
        losses.drop(path, "this host takes text only")
    return "\n".join(texts)


def read_part(item: Raw, path: str) -> Part:
    fields = Fields(item, path)
    reader = _READERS.get(fields.text("type") or "")
    part = reader(fields) if reader is not None else None
    return Foreign(CHAT, item) if part is None else part


def write_part(part: Part, path: str, host: Host) -> Written | None:
    match part:
        case Text():
            return _write_text(part, path, host.losses)
        case Media():
            return _write_media(part, path, host)
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Reasoning():
            return _write_thinking(part)
        case Foreign():
            if part.dialect == CHAT:
                return part.body
            host.losses.drop(path, f"only {part.dialect} knows this item")
        case _:
            host.losses.drop(path, "not a part of a message's content")
    return None


def _read_text(fields: Fields) -> Text:
    text = fields.need("text", fields.text("text"))
    return Text(text, cache=read_cache(fields), extra=keep(fields))


def _write_text(part: Text, path: str, losses: Losses) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "text", "text": part.text}
    if part.citations:
        losses.drop(f"{path}.citations", "a request of this dialect has no citations")
    return _finish(document, part.cache, part.extra, path, losses)


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.need("refusal", fields.text("refusal")))


def _read_thinking(fields: Fields) -> Reasoning | None:
    """A Mistral thinking part: a list of texts. One that holds anything else is kept as it is."""
    pieces = fields.items("thinking") or []
    texts = [piece.text("text") if piece.text("type") == "text" else None for piece in pieces]
    if None in texts:
        return None
    extra = Extra(CHAT, {"thinking": SAID, **fields_of(keep(fields))})
    return Reasoning("".join(text for text in texts if text), extra=extra)


def is_thinking_part(part: Part) -> bool:
    """Was this thought read from a part of a content, and goes back there?"""
    return type(part) is Reasoning and "thinking" in fields_of(part.extra)


def _write_thinking(part: Reasoning) -> dict[str, Any]:
    left = {name: value for name, value in fields_of(part.extra).items() if name != "thinking"}
    return {"type": "thinking", "thinking": [{"type": "text", "text": part.text}], **left}


def read_cache(fields: Fields) -> CacheMark | None:
    """`cache_control`, which some hosts of this dialect take. Its `extra` shows that it was said here."""
    mark = fields.fields("cache_control")
    if mark is None:
        return None
    mark.text("type")
    return CacheMark(mark.text("ttl"), Extra(CHAT, fields_of(keep(mark))))


def write_cache(mark: CacheMark | None, losses: Losses) -> dict[str, Any]:
    """The field again where this dialect's caller set it; another's mark is told once for the whole request."""
    if mark is None:
        return {}
    if not is_ours(mark.extra):
        losses.drop("cache_control", "this dialect has no cache marks")
        return {}
    ttl = {} if mark.ttl is None else {"ttl": mark.ttl}
    return {"cache_control": {"type": "ephemeral", **ttl, **fields_of(mark.extra)}}


def _read_linked(kind: MediaKind, name: str) -> Callable[[Fields], Media | None]:
    def read(fields: Fields) -> Media | None:
        value = fields.raw(name)
        if value is None:
            return None
        if json.is_text(value):
            return Media(kind, source_of(json.decode(value)), cache=read_cache(fields), extra=keep(fields))
        inner = Fields(value, fields.at(name))
        source = source_of(inner.need("url", inner.text("url")))
        detail = inner.text("detail")
        return Media(kind, source, detail=detail, cache=read_cache(fields), extra=keep(fields, inner, name))

    return read


def _read_audio(fields: Fields) -> Media | None:
    inner = fields.fields("input_audio")
    if inner is None:
        return None
    data, word = inner.need("data", inner.text("data")), inner.text("format") or "wav"
    source = Inline(_AUDIO.get(word, f"audio/{word}"), data)
    return Media(MediaKind.AUDIO, source, cache=read_cache(fields), extra=keep(fields, inner, "input_audio"))


def _read_file(fields: Fields) -> Media | None:
    inner = fields.fields("file")
    if inner is None:
        return None
    data, held = inner.text("file_data"), inner.text("file_id")
    source: Source | None = None
    if data is not None and (source := source_of(data)) and isinstance(source, Url) and "://" not in data:
        return None
    if source is None and held is not None:
        source = FileRef(CHAT, held)
    if source is None:
        return None
    name = inner.text("filename")
    cache = read_cache(fields)
    return Media(MediaKind.DOCUMENT, source, name, cache=cache, extra=keep(fields, inner, "file"))


_READERS: Mapping[str, Callable[[Fields], Part | None]] = {
    "text": _read_text,
    "image_url": _read_linked(MediaKind.IMAGE, "image_url"),
    "video_url": _read_linked(MediaKind.VIDEO, "video_url"),
    "audio_url": _read_linked(MediaKind.AUDIO, "audio_url"),
    "input_audio": _read_audio,
    "file": _read_file,
    "refusal": _read_refusal,
    "thinking": _read_thinking,
}

_LINKS: Mapping[MediaKind, str] = {
    MediaKind.IMAGE: "image_url",
    MediaKind.VIDEO: "video_url",
    MediaKind.AUDIO: "audio_url",
}
_AUDIO: Mapping[str, str] = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FORMATS: Mapping[str, str] = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


_BASE64 = ";base64,"


def source_of(url: str) -> Inline | Url:
    """The content of a `data:` URL in base64, or the URL."""
    if url.startswith("data:") and (end := url.find(_BASE64)) > 0:
        return Inline(url[len("data:") : end], url[end + len(_BASE64) :])
    return Url(url)


def data_url(source: Inline) -> str:
    data = base64.b64encode(source.data.encode()).decode() if source.plain else source.data
    return f"data:{source.media_type};base64,{data}"


def _write_media(part: Media, path: str, host: Host) -> dict[str, Any] | None:
    source, profile, losses = part.source, host.profile, host.losses
    if isinstance(source, Inline) and source.plain:
        losses.rewrite(path, "a plain text document goes as text")
        return {"type": "text", "text": f"{part.name}\n{source.data}" if part.name else source.data}
    if not _takes(profile, part.kind):
        losses.drop(path, f"this model takes no {part.kind}")
        return None
    document = _write_file(part, path, losses) if part.kind is MediaKind.DOCUMENT else _write_linked(part, path, losses)
    return document and _finish(document, part.cache, part.extra, path, losses)


def _takes(profile: ModelProfile, kind: MediaKind) -> bool:
    match kind:
        case MediaKind.IMAGE:
            return profile.images
        case MediaKind.DOCUMENT:
            return profile.documents
        case MediaKind.AUDIO:
            return profile.audio
        case MediaKind.VIDEO:
            return True


def _write_file(part: Media, path: str, losses: Losses) -> dict[str, Any] | None:
    name = {} if part.name is None else {"filename": part.name}
    match part.source:
        case Inline():
            name = name or {"filename": _FILENAME}
            return {"type": "file", "file": {**name, "file_data": data_url(part.source)}}
        case Url():
            losses.rewrite(path, "a document by URL goes as file_data, which not every host takes")
            return {"type": "file", "file": {**name, "file_data": part.source.url}}
        case FileRef():
            return _write_held(part.source, name, path, losses)


_FILENAME = "document"
"""OpenAI refuses inline files without a name."""


def _write_held(source: FileRef, name: dict[str, str], path: str, losses: Losses) -> dict[str, Any] | None:
    if source.dialect != CHAT:
        losses.drop(path, f"only {source.dialect} holds this file")
        return None
    return {"type": "file", "file": {"file_id": source.id, **name}}


def _write_linked(part: Media, path: str, losses: Losses) -> dict[str, Any] | None:
    source = part.source
    if isinstance(source, FileRef):
        return _write_held(source, {}, path, losses)
    if part.kind is MediaKind.AUDIO and isinstance(source, Inline):
        word = _FORMATS.get(source.media_type, source.media_type.removeprefix("audio/"))
        return {"type": "input_audio", "input_audio": {"data": source.data, "format": word}}
    name = _LINKS[part.kind]
    inner = {"url": data_url(source) if isinstance(source, Inline) else source.url}
    if part.detail is not None:
        inner["detail"] = part.detail
    return {"type": name, name: inner}


def _finish(
    document: dict[str, Any], cache: CacheMark | None, extra: Extra | None, path: str, losses: Losses
) -> dict[str, Any]:
    if cache is not None:
        document.update(write_cache(cache, losses))
    restore(document, extra, path, losses)
    return document
