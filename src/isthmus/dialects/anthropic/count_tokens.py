"""`POST /v1/messages/count_tokens`: how many tokens of input a conversation has.

The body is that of a message without what only concerns the answer. The provider asks for a model; clients that
count at a gateway may name none, and then any will do.

Source: https://docs.anthropic.com/en/api/messages-count-tokens.
"""

from msgspec import Raw

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.anthropic import messages
from isthmus.dialects.anthropic.errors import read_error, write_error
from isthmus.dialects.anthropic.messages.request import read_request as read_message
from isthmus.dialects.anthropic.messages.request import write_request as write_message
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.dialects.codec import CountCodec, Peek
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_ANSWERING = frozenset(
    {"max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "metadata", "service_tier"}
)
"""Fields of a message that say how to answer; the provider refuses them where it only counts."""


def peek(body: bytes) -> Peek:
    """The model, "" where none is named. Raises INVALID, naming the field at fault."""
    try:
        fields = Fields(body)
        if not json.read_items(fields.need("messages", fields.raw("messages")), "messages"):
            raise Malformed("messages must hold at least one message", "messages")
        return Peek(fields.text("model") or "")
    except Malformed as error:
        raise _invalid(error) from error


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def read_request(body: bytes) -> ChatRequest:
    """The conversation to be counted. Raises INVALID, naming the field at fault."""
    try:
        fields = json.read_fields(body)
    except Malformed as error:
        raise _invalid(error) from error
    if fields.get("model", json.NULL) == json.NULL:
        body = json.encode({**fields, "model": ""})
    return read_message(body)


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a provider. How to answer is left out, which no count depends on."""
    left: dict[str, Raw | None] = dict.fromkeys(_ANSWERING)
    return json.splice(write_message(request, profile, losses), left)


def read_reply(body: bytes) -> int:
    """The number of input tokens. Raises GARBLED for what is no answer."""
    try:
        fields = Fields(body)
        return max(fields.need("input_tokens", fields.integer("input_tokens")), 0)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer holds no count: {error.message}") from error


def write_reply(tokens: int) -> bytes:
    """The body of the answer."""
    return json.encode({"input_tokens": tokens})


CODEC = CountCodec(
    dialect=DIALECT,
    passed_request_headers=messages.CODEC.passed_request_headers,
    passed_reply_headers=messages.CODEC.passed_reply_headers,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=read_error,
    write_error=write_error,
)
