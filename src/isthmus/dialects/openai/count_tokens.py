"""`POST /v1/responses/input_tokens`: how many tokens of input a response would have.

The body is that of a response without what only concerns the answer. The model may be unnamed.

Source: the OpenAI API reference, "Get input token counts".
"""

from functools import partial

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.codec import CountCodec, Peek
from isthmus.dialects.openai import responses
from isthmus.dialects.openai.embeddings import DIALECT
from isthmus.dialects.openai.errors import read_error, write_error
from isthmus.dialects.openai.responses.peek import invalid, need_input
from isthmus.dialects.openai.responses.request import read_request as read_response
from isthmus.dialects.openai.responses.request import write_request as write_response
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_COUNTED = frozenset(
    {
        "model",
        "input",
        "instructions",
        "conversation",
        "previous_response_id",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "tool_choice",
        "tools",
        "truncation",
    }
)
"""Fields of a response that a count takes; the others say how to answer."""


def peek(body: bytes) -> Peek:
    """The model, "" where none is named. Raises INVALID, naming the field at fault."""
    try:
        fields = Fields(body)
        need_input(fields)
        return Peek(fields.text("model") or "")
    except Malformed as error:
        raise invalid(error) from error


def read_request(body: bytes) -> ChatRequest:
    """The conversation to be counted. Raises INVALID, naming the field at fault."""
    try:
        fields = json.read_fields(body)
    except Malformed as error:
        raise invalid(error) from error
    if fields.get("model", json.NULL) == json.NULL:
        body = json.encode({**fields, "model": ""})
    return read_response(body)


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a provider. How to answer is left out, which no count depends on."""
    told = json.read_fields(write_response(request, profile, losses))
    return json.encode({name: told[name] for name in told if name in _COUNTED})


def read_reply(body: bytes) -> int:
    """The number of input tokens. Raises GARBLED for what is no answer."""
    try:
        fields = Fields(body)
        return max(fields.need("input_tokens", fields.integer("input_tokens")), 0)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer holds no count: {error.message}") from error


def write_reply(tokens: int) -> bytes:
    """The body of the answer."""
    return json.encode({"object": "response.input_tokens", "input_tokens": tokens})


CODEC = CountCodec(
    dialect=DIALECT,
    passed_request_headers=responses.CODEC.passed_request_headers,
    passed_reply_headers=responses.CODEC.passed_reply_headers,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=partial(read_error, dialect=DIALECT),
    write_error=write_error,
)
