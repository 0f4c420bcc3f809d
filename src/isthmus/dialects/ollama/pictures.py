"""Images: base64 without a type, which is read off the first bytes.

Source: https://docs.ollama.com/capabilities/vision. Some clients send a data URL, which the server refuses;
it is read, and written as plain base64.
"""

from collections.abc import Sequence

from isthmus.core.content import Inline, Media, MediaKind
from isthmus.core.losses import Losses
from isthmus.wire.json import Fields

_SIGNS: Sequence[tuple[str, str]] = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("Qk", "image/bmp"),
    ("SUkqA", "image/tiff"),
    ("TU0AK", "image/tiff"),
)
"""How images of each type begin, in base64."""
_UNKNOWN = "image/png"


def read_images(fields: Fields) -> tuple[Media, ...]:
    return tuple(_read_image(data) for data in fields.texts("images") or ())


def _read_image(data: str) -> Media:
    media_type, found, inner = data.removeprefix("data:").partition(";base64,")
    if data.startswith("data:") and found:
        return Media(MediaKind.IMAGE, Inline(media_type, inner))
    return Media(MediaKind.IMAGE, Inline(type_of(data), data))


def type_of(data: str) -> str:
    """The media type of an image in base64."""
    return next((media_type for sign, media_type in _SIGNS if data.startswith(sign)), _UNKNOWN)


def write_image(media: Media, path: str, losses: Losses) -> str | None:
    """The data; None, and a loss, for what this dialect does not take."""
    if media.kind is not MediaKind.IMAGE:
        losses.drop(path, f"this dialect takes no {media.kind}")
        return None
    if not isinstance(media.source, Inline) or media.source.plain:
        losses.drop(path, "this dialect takes an image as its data and in no other way")
        return None
    if media.name is not None:
        losses.drop(f"{path}.name", "an image of this dialect has no name")
    if media.detail not in (None, "auto"):
        losses.drop(f"{path}.detail", "this dialect has no resolution to choose")
    losses.drop_extra(media.extra, path)
    return media.source.data
