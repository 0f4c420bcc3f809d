"""Images, documents, films and sound, and the sources they come from.

A source in S3 is a file that the vendor holds, by its `s3://` address. What the core does not tell of a source is
kept whole in the part's extra, under `source` and `format`.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html and the blocks it names.
"""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.content import FileRef, Inline, Media, MediaKind, Source, Url
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields

KINDS: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "document": MediaKind.DOCUMENT,
    "video": MediaKind.VIDEO,
    "audio": MediaKind.AUDIO,
}
_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES: Mapping[MediaKind, Mapping[str, str]] = {
    MediaKind.IMAGE: {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    MediaKind.DOCUMENT: {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": f"{_OFFICE}.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    MediaKind.VIDEO: {
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "mkv": "video/x-matroska",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "mpg": "video/mpg",
        "wmv": "video/x-ms-wmv",
        "three_gp": "video/3gpp",
    },
    MediaKind.AUDIO: {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "wav": "audio/wav",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "mp4": "audio/mp4",
        "ogg": "audio/ogg",
        "mkv": "audio/x-matroska",
        "mka": "audio/mka",
        "x-aac": "audio/x-aac",
        "m4a": "audio/x-m4a",
        "mpeg": "audio/mpg",
        "mpga": "audio/mpga",
        "pcm": "audio/pcm",
        "webm": "audio/webm",
    },
}
"""The formats that the provider takes, by kind, and the media type of each."""
_FORMATS: Mapping[MediaKind, Mapping[str, str]] = {
    kind: {media_type: word for word, media_type in types.items()} for kind, types in _TYPES.items()
}
_ALIASES: Mapping[str, str] = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/m4a": "audio/x-m4a",
    "application/xhtml+xml": "text/html",
    "application/csv": "text/csv",
    "text/x-markdown": "text/markdown",
}
READABLE = frozenset({"application/json", "application/xml", "application/javascript", "application/x-yaml"})
"""Media types beside `text/*` whose bytes are text, which a document can hold as such."""


def read_media(word: str, fields: Fields, body: Raw) -> Media | Foreign:
    """`fields` is what stands under `word`. An error in place of a source, or a source of a new kind, is kept whole."""
    kind = KINDS[word]
    form, whole = fields.raw("format"), fields.raw("source")
    source = None if whole is None else _read_source(kind, form, Fields(whole, fields.at("source")))
    if source is None:
        return Foreign(DIALECT, body)
    name, extra = fields.text("name"), fields.rest(DIALECT)
    kept = dict(extra.fields) if extra is not None else {}
    if whole is not None and _says_more(whole):
        kept["source"] = whole
    labels = {"format": form} if form is not None and json.raw(format_of(kind, source)) != form else {}
    return Media(kind, source, name, extra=Extra(DIALECT, kept, labels) if kept or labels else None)


def _says_more(source: Raw) -> bool:
    """Is there more in it than bytes or text, or an address in S3?"""
    fields = json.read_fields(source)
    place = fields.get("s3Location")
    return "content" in fields or (place is not None and len(json.read_fields(place)) > 1)


def _read_source(kind: MediaKind, form: Raw | None, source: Fields) -> Source | None:
    word = json.decode(form) if form is not None and json.is_text(form) else ""
    if (data := source.text("bytes")) is not None:
        return Inline(_TYPES[kind].get(word, word if "/" in word else f"{kind.value}/{word}"), data)
    if (place := source.fields("s3Location")) is not None:
        return FileRef(DIALECT, place.need("uri", place.text("uri")))
    text = source.text("text")
    if text is None and (items := source.items("content")) is not None:
        text = "\n".join(item.text("text") or "" for item in items)
    media_type = _TYPES[kind].get(word, "")
    return (
        None
        if text is None
        else Inline(media_type if media_type.startswith("text/") else "text/plain", text, plain=True)
    )


def format_of(kind: MediaKind, source: Source) -> str | None:
    """The provider's word for what is in the source; None where it takes no such thing."""
    if isinstance(source, Inline):
        media_type = source.media_type.partition(";")[0].strip().lower()
        return _FORMATS[kind].get(_ALIASES.get(media_type, media_type))
    ending = (source.url if isinstance(source, Url) else source.id).rpartition(".")[2].lower()
    ending = {"jpg": "jpeg", "3gp": "three_gp", "htm": "html"}.get(ending, ending)
    return ending if ending in _TYPES[kind] else None


def is_text(inline: Inline) -> bool:
    """Are the bytes of the document text, of whatever kind?"""
    media_type = inline.media_type.partition(";")[0].strip().lower()
    return inline.plain or media_type.startswith("text/") or media_type in READABLE
