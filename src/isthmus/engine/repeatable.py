"""Which requests may be asked of two places for one answer: those that leave nothing behind at a provider.

A request that a provider keeps, or goes on with in the background, would be kept twice; one that lets the provider
run tools would have them run twice.
"""

from collections.abc import Callable, Mapping

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Tool
from isthmus.core.errors import GatewayError
from isthmus.dialects.body_fields import ACTS, KEPT
from isthmus.dialects.codec import Codec
from isthmus.wire import json

_HARMLESS = frozenset({b"null", b"false", b"[]", b'""'})
"""Values that ask for nothing. An empty object is none of them: without options a search is a search."""


def leaves_nothing(body: bytes, codec: Codec, read: Callable[[], ChatRequest]) -> bool:
    """May the request in `body` be asked twice? `read` gives what is asked; what cannot be read is asked once."""
    if lets_act(body, read):
        return False
    fields = json.read_fields(body)
    return not any(_asks(fields, name) for name in KEPT) and ("store" in fields or not codec.keeps)


def lets_act(body: bytes, read: Callable[[], ChatRequest]) -> bool:
    """May the provider do more than answer? Whoever asks for what cannot be read may ask for anything.

    Whatever is no plain function among the tools is taken for one that the provider itself runs.
    """
    try:
        fields, request = json.read_fields(body), read()
    except (json.Malformed, GatewayError):
        return True
    return any(_asks(fields, name) for name in ACTS) or any(not isinstance(tool, Tool) for tool in request.tools or ())


def _asks(fields: Mapping[str, Raw], name: str) -> bool:
    return name in fields and bytes(fields[name]) not in _HARMLESS
