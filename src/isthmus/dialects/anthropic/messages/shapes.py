"""Typed shapes of the stream events that make up most of every stream, for the fast path."""

from msgspec import Struct

from isthmus.wire import json


class Delta(Struct):
    """A piece of a block. `type` says which of the other fields it has."""

    type: str
    text: str = ""
    thinking: str = ""
    partial_json: str = ""
    signature: str = ""


class BlockDelta(Struct, tag_field="type", tag="content_block_delta"):
    index: int
    delta: Delta


read_block_delta = json.decoder(BlockDelta)
"""Raises DECODE_ERRORS for every other event."""
