"""`POST /model/{modelId}/count-tokens`: how many tokens of input a conversation has, told as Converse tells it.

The model stands in the path. A caller may also send the body of another API, `invokeModel`, which is its maker's
own and is not read here.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html.
"""

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.bedrock.converse import request as converse
from isthmus.dialects.bedrock.errors import read_error, write_error
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.dialects.codec import CountCodec, Peek
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_COUNTED = frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"})
"""Fields of a Converse request that a count takes; the others say how to answer."""


def peek(body: bytes) -> Peek:
    """Raises INVALID, naming the field at fault."""
    return converse.peek(_converse(body))


def read_request(body: bytes) -> ChatRequest:
    """The conversation to be counted. Raises INVALID, naming the field at fault."""
    return converse.read_request(_converse(body))


def _converse(body: bytes) -> bytes:
    try:
        fields = Fields(body)
        asked = fields.need("input", fields.fields("input"))
        return bytes(asked.need("converse", asked.raw("converse")))
    except Malformed as error:
        raise GatewayError(Kind.INVALID, error.message, param=error.path or None) from error


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for the provider. How to answer is left out, which no count depends on."""
    told = json.read_fields(converse.write_request(request, profile, losses))
    return json.encode({"input": {"converse": {name: told[name] for name in told if name in _COUNTED}}})


def read_reply(body: bytes) -> int:
    """The number of input tokens. Raises GARBLED for what is no answer."""
    try:
        fields = Fields(body)
        return max(fields.need("inputTokens", fields.integer("inputTokens")), 0)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer holds no count: {error.message}") from error


def write_reply(tokens: int) -> bytes:
    """The body of the answer."""
    return json.encode({"inputTokens": tokens})


CODEC = CountCodec(
    dialect=DIALECT,
    model_in_path=True,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=read_error,
    write_error=write_error,
)
