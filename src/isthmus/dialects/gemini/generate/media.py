"""Images, sounds, films and documents: sent along as base64, or named by an address.

The kind is told by the media type. An address at Google's (an uploaded file, Cloud Storage) is a file that the
vendor holds; any other it fetches.

Source: https://ai.google.dev/api/caching (Blob, FileData), /gemini-api/docs/file-input-methods.
"""

from base64 import b64encode
from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.content import FileRef, Inline, Media, MediaKind, Source, Url
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json

Block = dict[str, object]
"""An object that is being written."""

_SOURCE = "source."
"""Opens the names of fields that stand inside the source of a part."""
HELD = ("https://generativelanguage.googleapis.com/", "gs://")
"""How the addresses of files begin that Google holds."""
_USUAL: Mapping[MediaKind, str] = {
    MediaKind.IMAGE: "image/jpeg",
    MediaKind.AUDIO: "audio/mpeg",
    MediaKind.VIDEO: "video/mp4",
    MediaKind.DOCUMENT: "application/pdf",
}
"""What an address is taken for whose ending tells nothing."""
_ENDINGS: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
}


_STANDARD = str.maketrans("-_", "+/")
"""Google's clients write base64 in the alphabet for addresses, which no other vendor takes."""


def kind_of(media_type: str) -> MediaKind:
    """What is no picture, sound or film is a document."""
    family = media_type.partition("/")[0].lower()
    return MediaKind(family) if family in ("image", "audio", "video") else MediaKind.DOCUMENT


def read_inline(blob: Camel, extra: Extra | None) -> Media:
    media_type = blob.text("mimeType") or "application/octet-stream"
    data = (blob.text("data") or "").translate(_STANDARD)
    name = blob.text("displayName")
    return Media(kind_of(media_type), Inline(media_type, data), name, extra=_with(extra, blob.rest(DIALECT)))


def read_file(file: Camel, extra: Extra | None) -> Media:
    """The media type is kept where it is not what the writer would tell by itself."""
    uri = file.need("fileUri", file.text("fileUri"))
    told, name = file.text("mimeType"), file.text("displayName")
    kind = kind_of(told if told is not None else guess(uri, None))
    labels = {} if told is None or told == guess(uri, kind) else {"mimeType": json.raw(told)}
    source: Source = FileRef(DIALECT, uri) if uri.startswith(HELD) else Url(uri)
    return Media(kind, source, name, extra=_with(extra, file.rest(DIALECT), labels))


def guess(uri: str, kind: MediaKind | None) -> str:
    """The media type by the ending of an address; the usual one of its kind where that tells nothing or otherwise."""
    ending = uri.partition("?")[0].rpartition("/")[2].rpartition(".")[2].lower()
    found = _ENDINGS.get(ending)
    if kind is None:
        return found or _USUAL[MediaKind.DOCUMENT]
    return found if found is not None and kind_of(found) is kind else _USUAL[kind]


def _with(extra: Extra | None, more: Extra | None, labels: Mapping[str, Raw] = {}) -> Extra | None:
    """Fields of the part, and those inside its source under names of their own."""
    fields = dict(extra.fields) if extra is not None else {}
    fields.update({f"{_SOURCE}{name}": value for name, value in (more.fields if more is not None else {}).items()})
    return Extra(DIALECT, fields, labels) if fields or labels else None


def write_media(media: Media, path: str, profile: ModelProfile, losses: Losses) -> Block | None:
    """None, and a loss, for what this dialect or this model does not take."""
    if not _is_taken(media, profile):
        losses.drop(path, f"this model takes no {media.kind}")
        return None
    part = _write_source(media, path, losses)
    if part is None:
        return None
    if media.name is not None:
        losses.drop(f"{path}.name", "what is sent along has no name in this dialect")
    if media.detail not in (None, "auto"):
        losses.drop(f"{path}.detail", "this dialect chooses the resolution for the whole request")
    return part


def _is_taken(media: Media, profile: ModelProfile) -> bool:
    match media.kind:
        case MediaKind.IMAGE:
            return profile.images
        case MediaKind.AUDIO:
            return profile.audio
        case MediaKind.DOCUMENT:
            return profile.documents or isinstance(media.source, Inline)
        case MediaKind.VIDEO:
            return True


def _write_source(media: Media, path: str, losses: Losses) -> Block | None:
    own: Mapping[str, Raw] = {}
    labels: Mapping[str, Raw] = {}
    if media.extra is not None and media.extra.dialect == DIALECT:
        own, labels = media.extra.fields, media.extra.labels
    else:
        losses.drop_extra(media.extra, path)
    inner = {name.removeprefix(_SOURCE): value for name, value in own.items() if name.startswith(_SOURCE)}
    inner.update(labels)
    part: Block = {name: value for name, value in own.items() if not name.startswith(_SOURCE)}
    match media.source:
        case Inline(media_type, data, plain):
            content = b64encode(data.encode(errors="replace")).decode() if plain else data
            return {"inlineData": {"mimeType": media_type, "data": content, **inner}, **part}
        case Url(uri):
            return {"fileData": {"mimeType": guess(uri, media.kind), "fileUri": uri, **inner}, **part}
        case FileRef(dialect, uri) if dialect == DIALECT:
            return {"fileData": {"mimeType": guess(uri, media.kind), "fileUri": uri, **inner}, **part}
        case FileRef(dialect):
            losses.drop(path, f"only {dialect} holds this file")
            return None
