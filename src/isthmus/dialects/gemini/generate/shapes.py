"""The chunk that most of a stream consists of: one piece of text, and nothing that must be told now.

It refuses first: a chunk with one field more, or of another type, is no such chunk and is read field by field.
"""

from typing import Literal

from msgspec import Raw, Struct

from isthmus.wire import json


class _Plain(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class _Piece(_Plain, frozen=True):
    text: str


class _Content(_Plain, frozen=True):
    parts: tuple[_Piece]
    role: Literal["model"] | None = None


class _Candidate(_Plain, frozen=True):
    content: _Content
    index: int = 0


class PlainChunk(_Plain, frozen=True):
    candidates: tuple[_Candidate]
    usageMetadata: Raw = json.NULL  # noqa: N815  the name on the wire
    modelVersion: str | None = None  # noqa: N815
    responseId: str | None = None  # noqa: N815
    createTime: str | None = None  # noqa: N815


read_plain = json.decoder(PlainChunk)
"""Raises DECODE_ERRORS for any other chunk."""
