"""Citations, which this dialect tells as `annotations` of a whole message.

Source: the OpenAI API reference, "The chat completion object", `annotations`; offsets count characters.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Citation, Part, Text
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT
from isthmus.wire.json import Fields


def read_citation(item: Raw, path: str = "") -> Citation:
    """One annotation. One of a kind that we do not know is kept as it is."""
    native = Foreign(CHAT, item)
    inner = Fields(item, path).fields("url_citation")
    if inner is None:
        return Citation(native=native)
    return Citation(
        url=inner.text("url"),
        title=inner.text("title"),
        start=inner.integer("start_index"),
        end=inner.integer("end_index"),
        native=native,
    )


def cite(parts: Sequence[Part], items: Sequence[Raw], path: str) -> tuple[Part, ...] | None:
    """`parts` with the annotations at the last text, or None where there is no text to cite from."""
    place = max((number for number, part in enumerate(parts) if isinstance(part, Text)), default=None)
    if place is None:
        return None
    text = parts[place]
    assert isinstance(text, Text)  # noqa: S101  it was looked up as one
    citations = tuple(read_citation(item, f"{path}[{number}]") for number, item in enumerate(items))
    return (*parts[:place], replace(text, citations=citations), *parts[place + 1 :])


def write_citation(
    citation: Citation, *, start: int, length: int, path: str, losses: Losses
) -> dict[str, Any] | Raw | None:
    """The annotation for a citation of the text that stands at `start` in the message and has `length` characters.

    None where it names no URL: this dialect knows no other citations.
    """
    if citation.native is not None and citation.native.dialect == CHAT:
        return citation.native.body
    if citation.url is None:
        losses.drop(f"{path}.citations", "this dialect cites URLs only")
        return None
    if citation.quote is not None:
        losses.drop(f"{path}.citations.quote", "an annotation of this dialect quotes nothing")
    inner = {
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": start + (citation.start or 0),
        "end_index": start + (length if citation.end is None else citation.end),
    }
    return {"type": "url_citation", "url_citation": inner}
