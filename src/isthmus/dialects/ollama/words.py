"""What one message or prompt says: one text, and images before it.

Templates put a message's images in front of its words, so that is where they are read. Several texts become one.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from isthmus.core.content import Inline, Media, MediaKind, Part, Reasoning, Refusal, Text
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.ollama.calls import drop_mark
from isthmus.dialects.ollama.pictures import write_image

Placed: TypeAlias = tuple[str, Part]
"""A part and the path at which its losses are told."""


class Spoken(NamedTuple):
    text: str
    images: list[str]


def write_spoken(parts: Iterable[Placed], path: str, profile: ModelProfile, losses: Losses) -> Spoken:
    """The text and the images of `parts`, which stand in a message at `path`."""
    texts: list[str] = []
    images: list[str] = []
    for at, part in parts:
        if (words := _words(part, at, losses)) is not None:
            texts.append(words)
        elif isinstance(part, Media) and (image := _image(part, at, profile, losses)) is not None:
            if texts:
                losses.rewrite(f"{path}.parts", "a message of this dialect shows its images before its words")
            images.append(image)
        elif not isinstance(part, Media):
            _drop(part, at, losses)
    if len(texts) > 1:
        losses.rewrite(f"{path}.parts", "the texts of a message are one text in this dialect")
    return Spoken("\n".join(texts), images)


def write_thoughts(thoughts: Iterable[Placed], path: str, losses: Losses) -> str:
    """The thinking in clear: proofs of it, and thoughts that are shown to nobody, have no place."""
    texts: list[str] = []
    for at, part in thoughts:
        if not isinstance(part, Reasoning):
            continue
        if part.redacted:
            losses.drop(at, "this dialect takes no thought that is not in clear")
            continue
        if part.signature is not None:
            losses.drop(f"{path}.reasoning.signature", "thinking of this dialect is plain text")
        losses.drop_extra(part.extra, at)
        texts.append(part.text)
    return "".join(texts)


def _words(part: Part, path: str, losses: Losses) -> str | None:
    """The text of a part that is words, or can be told as words."""
    if isinstance(part, Refusal):
        return part.text
    if isinstance(part, Media) and isinstance(part.source, Inline) and part.source.plain:
        losses.rewrite(path, "a plain text document goes as text")
        return f"{part.name}\n{part.source.data}" if part.name else part.source.data
    if not isinstance(part, Text):
        return None
    drop_mark(part.cache, losses)
    if part.citations:
        losses.drop(f"{path}.citations", "this dialect has no citations")
    losses.drop_extra(part.extra, path)
    return part.text


def _image(media: Media, path: str, profile: ModelProfile, losses: Losses) -> str | None:
    drop_mark(media.cache, losses)
    if media.kind is MediaKind.IMAGE and not profile.images:
        losses.drop(path, "this model takes no images")
        return None
    return write_image(media, path, losses)


def _drop(part: Part, path: str, losses: Losses) -> None:
    if isinstance(part, Foreign):
        losses.drop(path, f"only {part.dialect} knows this item")
    else:
        losses.drop(path, "not a part of such a message in this dialect")
