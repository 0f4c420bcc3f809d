"""What messages and results hold: `input_text`, `output_text`, `refusal`, `input_image`, `input_file`, `input_audio`.

Source: the OpenAI API reference, "Create a model response", `input`.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.content import FileRef, Inline, Media, MediaKind, Part, Refusal, Source, Text, Url
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT, RESPONSES
from isthmus.dialects.openai.responses.citations import read_citation, write_citations
from isthmus.dialects.openai.responses.extras import Written, is_ours, keep, labels_of, restore
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_HOLLOW = ("annotations", "logprobs")
_CONTENT = ("input_", "output_")
"""How the types of content begin, and no item's type."""


class Host(NamedTuple):
    """Whom we write for, and where we note what it cannot be told."""

    profile: ModelProfile
    losses: Losses


def read_content(value: Raw | None, path: str) -> tuple[Part, ...] | None:
    """The parts of a content that is a string, a list or not there; None where a part of it is of no known type."""
    if value is None:
        return ()
    if json.is_text(value):
        return (Text(json.decode(value)),)
    if memoryview(value)[0] != ord("["):
        raise Malformed(f"{path} must be a string or a list of parts", path)
    found = [read_part(item, f"{path}[{number}]") for number, item in enumerate(json.read_items(value, path))]
    known = tuple(part for part in found if part is not None)
    return known if len(known) == len(found) else None


def read_part(item: Raw, path: str = "") -> Part | None:
    """One part. What has the name of a content is kept as it is; None for what may be anything."""
    fields = Fields(item, path)
    kind = fields.text("type") or ""
    reader = _READERS.get(kind)
    part = reader(fields) if reader is not None else None
    if part is None and kind.startswith(_CONTENT):
        return Foreign(RESPONSES, item)
    return part


def is_content(item: Foreign) -> bool:
    """Was it kept as a part of a content, and not as an item?"""
    kind = json.read_fields(item.body).get("type")
    return kind is not None and json.is_text(kind) and str(json.decode(kind)).startswith(_CONTENT)


def read_text(fields: Fields) -> Text:
    text = fields.text("text") or ""
    labels = {name: value for name in _HOLLOW if (value := fields.look(name)) is not None and value == _NONE}
    for name in labels:
        fields.raw(name)
    items = fields.look("annotations")
    path = fields.at("annotations")
    found = [] if items is None else json.read_items(fields.raw("annotations") or items, path)
    citations = tuple(read_citation(item, f"{path}[{number}]") for number, item in enumerate(found))
    return Text(text, citations=citations, extra=keep(fields, labels))


_NONE = Raw(b"[]")


def write_text(part: Text, kind: str, path: str, losses: Losses) -> dict[str, Any]:
    """A part of type `input_text` or `output_text`; the latter has lists that clients expect to be there."""
    document: dict[str, Any] = {"type": kind, "text": part.text}
    if part.cache is not None:
        losses.drop("cache_control", "this dialect has no cache marks")
    if kind == "output_text":
        cited = write_citations(part.citations, len(part.text), path, losses)
        labels = labels_of(part.extra)
        if cited or not is_ours(part.extra) or "annotations" in labels:
            document["annotations"] = cited
        if "logprobs" in labels:
            document["logprobs"] = labels["logprobs"]
    elif part.citations:
        losses.drop(f"{path}.citations", "what a user says has no citations in this dialect")
    restore(document, part.extra, path, losses)
    return document


def _read_refusal(fields: Fields) -> Refusal:
    return Refusal(fields.need("refusal", fields.text("refusal")))


def _read_image(fields: Fields) -> Media | None:
    url, held = fields.text("image_url"), fields.text("file_id")
    source = _source(url, held)
    if source is None:
        return None
    return Media(MediaKind.IMAGE, source, detail=fields.text("detail"), extra=keep(fields))


def _read_file(fields: Fields) -> Media | None:
    data, url, held = fields.text("file_data"), fields.text("file_url"), fields.text("file_id")
    if data is not None:
        source: Source | None = source_of(data)
        if not isinstance(source, Inline):
            return None
    else:
        source = _source(url, held)
    if source is None:
        return None
    name, detail = fields.text("filename"), fields.text("detail")
    return Media(MediaKind.DOCUMENT, source, name, detail=detail, extra=keep(fields))


def _read_audio(fields: Fields) -> Media | None:
    inner = fields.fields("input_audio")
    if inner is None:
        return None
    data, word = inner.need("data", inner.text("data")), inner.text("format") or "wav"
    return Media(MediaKind.AUDIO, Inline(_AUDIO.get(word, f"audio/{word}"), data), extra=keep(fields))


_READERS: Mapping[str, Callable[[Fields], Part | None]] = {
    "input_text": read_text,
    "output_text": read_text,
    "text": read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "input_file": _read_file,
    "input_audio": _read_audio,
}
_AUDIO: Mapping[str, str] = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_FORMATS: Mapping[str, str] = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_FILENAME = "document"
"""OpenAI refuses inline files without a name."""


def _source(url: str | None, held: str | None) -> Source | None:
    """A held file is the vendor's, whichever of its dialects names it."""
    if url is not None:
        return source_of(url)
    return None if held is None else FileRef(CHAT, held)


def source_of(url: str) -> Inline | Url:
    """The content of a `data:` URL in base64, or the URL."""
    if url.startswith("data:"):
        media_type, found, data = url[5:].partition(";base64,")
        if found:
            return Inline(media_type, data)
    return Url(url)


def data_url(source: Inline) -> str:
    data = base64.b64encode(source.data.encode()).decode() if source.plain else source.data
    return f"data:{source.media_type};base64,{data}"


def write_parts(parts: Sequence[Part], kind: str, path: str, host: Host) -> list[Written]:
    """The list for the parts of one message or result, whose texts are of type `kind`."""
    return [one for number, part in enumerate(parts) if (one := write_part(part, kind, f"{path}[{number}]", host))]


def write_part(part: Part, kind: str, path: str, host: Host) -> Written | None:
    match part:
        case Text():
            return write_text(part, kind, path, host.losses)
        case Media():
            return _write_media(part, path, host)
        case Refusal() if kind == "output_text":
            return {"type": "refusal", "refusal": part.text}
        case Refusal():
            host.losses.rewrite(path, "only an assistant refuses in this dialect")
            return {"type": kind, "text": part.text}
        case Foreign() if part.dialect == RESPONSES:
            return part.body
        case Foreign():
            host.losses.drop(path, f"only {part.dialect} knows this item")
        case _:
            host.losses.drop(path, "not a part of a message's content")
    return None


def _write_media(part: Media, path: str, host: Host) -> dict[str, Any] | None:
    losses = host.losses
    if part.cache is not None:
        losses.drop("cache_control", "this dialect has no cache marks")
    if isinstance(part.source, Inline) and part.source.plain:
        losses.rewrite(path, "a plain text document goes as text")
        return {"type": "input_text", "text": f"{part.name}\n{part.source.data}" if part.name else part.source.data}
    if isinstance(part.source, FileRef) and part.source.dialect not in (CHAT, RESPONSES):
        losses.drop(path, f"only {part.source.dialect} holds this file")
        return None
    writer = _WRITERS.get(part.kind)
    if writer is None or not _takes(host.profile, part.kind):
        losses.drop(path, f"this model takes no {part.kind}")
        return None
    document = writer(part, path, losses)
    if document is not None:
        restore(document, part.extra, path, losses)
    return document


def _takes(profile: ModelProfile, kind: MediaKind) -> bool:
    return {
        MediaKind.IMAGE: profile.images,
        MediaKind.DOCUMENT: profile.documents,
        MediaKind.AUDIO: profile.audio,
    }.get(kind, False)


def _write_image(part: Media, _path: str, _losses: Losses) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "input_image", **_linked(part.source, "image_url", "image_url")}
    if part.detail is not None:
        document["detail"] = part.detail
    return document


def _write_file(part: Media, _path: str, _losses: Losses) -> dict[str, Any]:
    document: dict[str, Any] = {"type": "input_file"}
    if part.name is not None or isinstance(part.source, Inline):
        document["filename"] = part.name or _FILENAME
    document.update(_linked(part.source, "file_data", "file_url"))
    if part.detail is not None:
        document["detail"] = part.detail
    return document


def _write_audio(part: Media, path: str, losses: Losses) -> dict[str, Any] | None:
    if not isinstance(part.source, Inline):
        losses.drop(path, "this dialect takes audio by its data only")
        return None
    word = _FORMATS.get(part.source.media_type, part.source.media_type.removeprefix("audio/"))
    return {"type": "input_audio", "input_audio": {"data": part.source.data, "format": word}}


def _linked(source: Source, data: str, url: str) -> dict[str, str]:
    match source:
        case Inline():
            return {data: data_url(source)}
        case Url():
            return {url: source.url}
        case FileRef():
            return {"file_id": source.id}


_WRITERS: Mapping[MediaKind, Callable[[Media, str, Losses], dict[str, Any] | None]] = {
    MediaKind.IMAGE: _write_image,
    MediaKind.DOCUMENT: _write_file,
    MediaKind.AUDIO: _write_audio,
}
