"""What routing needs of a request body, at the price of one shallow decode, and how usage is asked for."""

from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.codec import Peek
from isthmus.dialects.openai.chat.shapes import read_envelope
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

TOOLLESS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
"""What clients send along with an empty list of tools, and providers refuse then."""


def peek(body: bytes) -> Peek:
    """Model, stream flag, and whether usage was asked for. Raises INVALID, naming the field at fault."""
    try:
        envelope = read_envelope(body)
    except json.DECODE_ERRORS:
        return _peek_slowly(body)
    if not envelope.messages or not envelope.model:
        return _peek_slowly(body)
    options = envelope.stream_options
    asked = options is not None and bool(options.include_usage)
    bound = envelope.max_tokens if envelope.max_completion_tokens is None else envelope.max_completion_tokens
    return Peek(envelope.model, bool(envelope.stream), asked, _refused(envelope.tools), bound=bound)


def _peek_slowly(body: bytes) -> Peek:
    """The same, field by field, so that the one at fault can be named."""
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model") or None)
        items = fields.raw("messages")
        if not json.read_items(fields.need("messages", items), "messages"):
            raise Malformed("messages must not be empty", "messages")
        stream, options = fields.flag("stream"), fields.fields("stream_options")
        asked = options is not None and bool(options.flag("include_usage"))
        return Peek(model, bool(stream), asked, _refused(fields.raw("tools") or json.NULL))
    except Malformed as error:
        raise invalid(error) from error


def _refused(tools: Raw) -> frozenset[str]:
    return TOOLLESS if len(tools) < 64 and bytes(tools).split() in ([b"[]"], [b"[", b"]"]) else frozenset()


def invalid(error: Malformed) -> GatewayError:
    """What a caller is told of a body that cannot be read."""
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def ask_usage(fields: Mapping[str, Raw]) -> Mapping[str, Raw | None]:
    """The change that makes a provider send usage in a stream. Other options of the stream stay as they are."""
    options = fields.get("stream_options")
    told = {} if options is None or options == json.NULL else json.read_fields(options, "stream_options")
    return {"stream_options": json.raw({**told, "include_usage": True})}
