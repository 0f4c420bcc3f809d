"""Which requests may be asked of two places for one answer: those that leave nothing behind at a provider.

A request that a provider keeps, or goes on with in the background, would be kept twice; one that lets the provider
run tools would have them run twice.
"""

from collections.abc import Callable, Mapping

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Tool
from isthmus.core.errors import GatewayError
from isthmus.dialects.codec import Codec
from isthmus.wire import json

_HARMLESS = frozenset({b"null", b"false", b"[]", b"{}", b'""'})
"""Values that ask for nothing."""
_STATEFUL = ("previous_response_id", "conversation", "background", "store", "container")
"""Top-level fields of requests that a provider keeps, or that go on with what it has kept.

Of OpenAI's two dialects and of Anthropic's; no other dialect has any.
"""
_HOSTED = ("mcp_servers", "web_search_options", "plugins")
"""Top-level fields that let the provider, or a host of many, run tools of its own without a place among the tools."""


def leaves_nothing(body: bytes, codec: Codec, read: Callable[[], ChatRequest]) -> bool:
    """May the request in `body` be asked twice? `read` gives what is asked; what cannot be read is asked once."""
    try:
        fields = json.read_fields(body)
        if any(_asks(fields, name, codec) for name in (*_STATEFUL, *_HOSTED)):
            return False
        return not hosts_tools(read())
    except (json.Malformed, GatewayError):
        return False


def hosts_tools(request: ChatRequest) -> bool:
    """Is any of the tools one that the provider itself may run? Whatever is no plain function is taken for one."""
    return any(not isinstance(tool, Tool) for tool in request.tools or ())


def _asks(fields: Mapping[str, Raw], name: str, codec: Codec) -> bool:
    value = fields.get(name)
    if value is None:
        return name == "store" and codec.keeps
    return bytes(value) not in _HARMLESS
