"""Citations, which this dialect tells as `annotations` of one text; offsets count characters of that text.

Source: the OpenAI API reference, "The response object", `output_text`.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.content import Citation
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.wire.json import Fields


def read_citation(item: Raw, path: str = "") -> Citation:
    """One annotation. One of a kind that we do not know is kept as it is."""
    native = Foreign(RESPONSES, item)
    fields = Fields(item, path)
    if fields.text("type") != "url_citation":
        return Citation(native=native)
    return Citation(
        url=fields.text("url"),
        title=fields.text("title"),
        start=fields.integer("start_index"),
        end=fields.integer("end_index"),
        native=native,
    )


def write_citations(
    citations: Sequence[Citation], length: int, path: str, losses: Losses
) -> list[dict[str, Any] | Raw]:
    """The annotations of a text of `length` characters."""
    written = (write_citation(citation, length, path, losses) for citation in citations)
    return [one for one in written if one is not None]


def write_citation(citation: Citation, length: int, path: str, losses: Losses) -> dict[str, Any] | Raw | None:
    """The annotation, or None where the source has no URL: this dialect knows no other citations of ours."""
    if citation.native is not None and citation.native.dialect == RESPONSES:
        return citation.native.body
    if citation.url is None:
        losses.drop(f"{path}.citations", "this dialect cites URLs only")
        return None
    if citation.quote is not None:
        losses.drop(f"{path}.citations.quote", "an annotation of this dialect quotes nothing")
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": length if citation.end is None else citation.end,
    }
