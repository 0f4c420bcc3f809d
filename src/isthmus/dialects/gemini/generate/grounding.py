"""Where statements come from: `groundingMetadata` and `citationMetadata`, and the core's citations.

The places in a text are told in bytes of UTF-8 here, and in characters in the core. What the provider told is kept
whole beside the citations, and its own clients are told that and nothing else.

Source: https://ai.google.dev/api/generate-content (GroundingMetadata, CitationMetadata).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.content import Citation
from isthmus.core.value import Foreign
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Malformed

GROUNDING, CITED = "groundingMetadata", "citationMetadata"


class Told:
    """A citation and the part that it belongs to, as the provider counts parts."""

    __slots__ = ("citation", "part")

    def __init__(self, citation: Citation, part: int) -> None:
        self.citation = citation
        self.part = part


def read_citations(kept: Mapping[str, Raw], texts: Sequence[str]) -> list[Told]:
    """What the extra fields of a candidate tell of sources. `texts` are its parts, "" for those that are no text."""
    found: list[Told] = []
    for name, read in ((GROUNDING, _read_grounding), (CITED, _read_cited)):
        if name in kept:
            try:
                found.extend(read(Camel(kept[name], name), texts))
            except Malformed:
                continue
    return found


def is_told_by_citations(name: str, value: Raw) -> bool:
    """Does the field say nothing more than what the citations read of it say?"""
    if name == CITED:
        return True
    try:
        return name == GROUNDING and json.read_fields(value).keys() <= {"groundingChunks", "groundingSupports"}
    except Malformed:
        return False


def _read_grounding(fields: Camel, texts: Sequence[str]) -> list[Told]:
    chunks = [Camel(item, "groundingChunks") for item in fields.each("groundingChunks") or ()]
    sources = [_read_source(chunk) for chunk in chunks]
    found: list[Told] = []
    for item in fields.each("groundingSupports") or ():
        support = Camel(item, "groundingSupports")
        segment = support.inner("segment")
        part = (segment.integer("partIndex") if segment is not None else None) or 0
        start, end = _place(segment, texts[part] if 0 <= part < len(texts) else "")
        for index in _indices(support.raw("groundingChunkIndices"), len(sources)):
            url, title, quote = sources[index]
            found.append(Told(Citation(url, title, quote, start, end, Foreign(DIALECT, item)), part))
    return found


def _indices(value: Raw | None, limit: int) -> list[int]:
    """Those that name a source."""
    told = json.decode(value) if value is not None else None
    return [one for one in told if type(one) is int and 0 <= one < limit] if isinstance(told, list) else []


def _read_source(chunk: Camel) -> tuple[str | None, str | None, str | None]:
    """Address, title and the words found there, of a page, a document or a place on the map."""
    for name in ("web", "retrievedContext", "maps", "image"):
        if (inner := chunk.inner(name)) is not None:
            return inner.text("uri") or inner.text("sourceUri"), inner.text("title"), inner.text("text")
    return None, None, None


def _read_cited(fields: Camel, texts: Sequence[str]) -> list[Told]:
    """The Gemini API calls the list `citationSources`, Vertex AI `citations`."""
    items = fields.each("citationSources")
    if items is None:
        items = fields.each("citations")
    found: list[Told] = []
    for item in items or ():
        source = Camel(item, CITED)
        start, end = _place(source, texts[0] if texts else "")
        url, title = source.text("uri"), source.text("title")
        found.append(Told(Citation(url, title, None, start, end, Foreign(DIALECT, item)), 0))
    return found


def _place(segment: Camel | None, text: str) -> tuple[int | None, int | None]:
    """Start and end in characters; a start of nought is left out on the wire."""
    if segment is None:
        return None, None
    start, end = segment.integer("startIndex"), segment.integer("endIndex")
    if end is None:
        return None, None
    return _characters(text, start or 0), _characters(text, end)


def _characters(text: str, place: int) -> int:
    """The place in characters of one in bytes."""
    if text.isascii():
        return place
    return len(text.encode(errors="replace")[: max(0, place)].decode(errors="ignore"))


def _bytes(text: str, place: int) -> int:
    return place if text.isascii() else len(text[:place].encode(errors="replace"))


def is_own(citation: Citation) -> bool:
    """Did it come from this dialect, which tells it in the candidate's own field?"""
    return citation.native is not None and citation.native.dialect == DIALECT


class Cited(NamedTuple):
    """A citation to be told: `before` is what its part says before the text that cites, `part` that part's number."""

    text: str
    citation: Citation
    before: str = ""
    part: int = 0


def write_grounding(cited: Sequence[Cited]) -> dict[str, object]:
    """The `groundingMetadata` for citations of other dialects; empty without any. A quote is told with its source."""
    chunks: list[dict[str, Any]] = []
    supports: list[dict[str, Any]] = []
    for one in cited:
        chunk = _write_source(one.citation)
        if chunk not in chunks:
            chunks.append(chunk)
        supports.append({"segment": _write_place(one), "groundingChunkIndices": [chunks.index(chunk)]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if chunks else {}


def _write_source(citation: Citation) -> dict[str, Any]:
    told = {"uri": citation.url, "title": citation.title, "text": citation.quote}
    source = {name: value for name, value in told.items() if value is not None}
    return {"web" if citation.quote is None else "retrievedContext": source}


def _write_place(cited: Cited) -> dict[str, object]:
    """A number that is nought is left out."""
    citation, text = cited.citation, cited.text
    start = 0 if citation.start is None else citation.start
    end = len(text) if citation.end is None else citation.end
    before = len(cited.before.encode(errors="replace"))
    numbers = {
        "partIndex": cited.part,
        "startIndex": before + _bytes(text, start),
        "endIndex": before + _bytes(text, end),
    }
    return {**{name: number for name, number in numbers.items() if number}, "text": text[start:end]}
