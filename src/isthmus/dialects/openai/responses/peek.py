"""What routing needs of a request body, at the price of one shallow decode."""

from msgspec import Raw, Struct

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.codec import Peek
from isthmus.dialects.openai.responses.signatures import MARKS
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

TOOLLESS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
"""What clients send along with an empty list of tools, and providers refuse then."""
INSTEAD = ("previous_response_id", "prompt", "conversation")
"""What a conversation may be continued from without any input."""


class _Envelope(Struct, frozen=True, gc=False):
    model: str
    input: Raw
    stream: bool | None = None
    tools: Raw = json.NULL
    max_output_tokens: int | None = None


_read_envelope = json.decoder(_Envelope)


def peek(body: bytes) -> Peek:
    """Model and stream flag. Raises INVALID, naming the field at fault."""
    try:
        envelope = _read_envelope(body)
    except json.DECODE_ERRORS:
        return _peek_slowly(body)
    if not envelope.model or memoryview(envelope.input)[0] not in b'"[' or len(envelope.input) <= len(b"[ ]"):
        return _peek_slowly(body)
    refused, bound = _refused(envelope.tools), envelope.max_output_tokens
    return Peek(envelope.model, bool(envelope.stream), refused=refused, marked=_is_marked(body), bound=bound)


def _peek_slowly(body: bytes) -> Peek:
    """The same, field by field, so that the one at fault can be named."""
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model") or None)
        need_input(fields)
        stream, tools = fields.flag("stream"), fields.raw("tools") or json.NULL
        return Peek(model, bool(stream), refused=_refused(tools), marked=_is_marked(body))
    except Malformed as error:
        raise invalid(error) from error


def need_input(fields: Fields) -> Raw | None:
    """The input; None where the conversation goes on from something else. Raises Malformed where nothing is said."""
    value = fields.raw("input")
    if any(fields.look(name) is not None for name in INSTEAD):
        return value
    found = fields.need("input", value)
    if not json.is_text(found) and not json.read_items(found, fields.at("input")):
        raise Malformed("input must not be empty", "input")
    return found


def _refused(tools: Raw) -> frozenset[str]:
    return TOOLLESS if len(tools) < 64 and bytes(tools).split() in ([b"[]"], [b"[", b"]"]) else frozenset()


def _is_marked(body: bytes) -> bool:
    return any(mark in body for mark in MARKS)


def invalid(error: Malformed) -> GatewayError:
    """What a caller is told of a body that cannot be read."""
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)
