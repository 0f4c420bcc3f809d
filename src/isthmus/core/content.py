"""What a message is made of.

Tool arguments and base64 stay the text they arrived as: key order, spacing and
number spelling survive, and nothing is parsed only to be printed again.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeAlias

from isthmus.core.value import Extra, Foreign, Value


class CacheMark(Value, frozen=True):
    """The caller asks the provider to cache everything up to here. `ttl` as the caller spelled it ("5m", "1h")."""

    ttl: str | None = None
    extra: Extra | None = None


class Signature(Value, frozen=True):
    """Opaque proof a vendor wants back unchanged: thinking signatures, encrypted reasoning."""

    vendor: str
    value: str


class Citation(Value, frozen=True):
    """Where a statement comes from.

    `start` and `end` are character offsets into the text that cites (not into the
    source), where the dialect tells them. `native` is the item as its own dialect
    spelled it, which that dialect writes back in place of the other fields.
    """

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    native: Foreign | None = None


class Text(Value, frozen=True):
    text: str
    cache: CacheMark | None = None
    citations: tuple[Citation, ...] = ()
    extra: Extra | None = None


class Reasoning(Value, frozen=True):
    """What the model thought. `redacted`: the vendor shows only the signature, never the text."""

    text: str
    signature: Signature | None = None
    redacted: bool = False
    extra: Extra | None = None


class MediaKind(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


class Inline(Value, frozen=True):
    """The content itself: `data` is base64, or plain text when `media_type` starts with "text/" and `plain`."""

    media_type: str
    data: str
    plain: bool = False


class Url(Value, frozen=True):
    url: str


class FileRef(Value, frozen=True):
    """A file that `dialect`'s vendor already holds, by its id there."""

    dialect: str
    id: str


Source: TypeAlias = Inline | Url | FileRef


class Media(Value, frozen=True):
    """An image, sound, film or document. `detail` is the resolution asked for ("low", "high", "auto")."""

    kind: MediaKind
    source: Source
    name: str | None = None
    detail: str | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class ToolCall(Value, frozen=True):
    """The model asks for a tool. `arguments` is JSON text exactly as the model wrote it ("" when it wrote none)."""

    id: str
    name: str
    arguments: str
    signature: Signature | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class ToolResult(Value, frozen=True):
    """What the tool answered. `failed` is None when the caller did not say."""

    call_id: str
    parts: tuple["Text | Media | Foreign", ...]
    failed: bool | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class Refusal(Value, frozen=True):
    """The model declines, in words."""

    text: str


Part: TypeAlias = Text | Reasoning | Media | ToolCall | ToolResult | Refusal | Foreign


def only_text(parts: Sequence[Part]) -> str | None:
    """The words, where one text without mark, citation or leftover is all there is."""
    if len(parts) != 1:
        return None
    part = parts[0]
    if type(part) is Text and part.cache is None and part.extra is None and not part.citations:
        return part.text
    return None
