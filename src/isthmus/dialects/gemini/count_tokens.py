"""`POST /v1beta/models/{model}:countTokens`: how many tokens a request has.

A client sends the contents alone, or the whole request as `generateContentRequest`.

Source: https://ai.google.dev/api/tokens.
"""

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.codec import CountCodec, Peek
from isthmus.dialects.gemini.errors import read_error, write_error
from isthmus.dialects.gemini.generate.pen import Pen
from isthmus.dialects.gemini.generate.request import invalid, read_fields, write_fields
from isthmus.dialects.gemini.spelling import Camel, whole_object
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Malformed

WHOLE = "generateContentRequest"


def peek(body: bytes) -> Peek:
    """Raises INVALID, naming the field."""
    try:
        fields = _request(body)
        if not fields.need("contents", fields.each("contents")):
            raise Malformed("contents must hold at least one turn", "contents")
    except Malformed as error:
        raise invalid(error) from error
    return Peek("")


def _request(body: bytes) -> Camel:
    fields = whole_object(body)
    return fields.inner(WHOLE) or fields


def read_request(body: bytes) -> ChatRequest:
    """Raises INVALID, naming the field at fault."""
    try:
        return read_fields(_request(body))
    except Malformed as error:
        raise invalid(error) from error


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The whole request, under the name of its model."""
    told = write_fields(request, Pen(profile, losses))
    return json.encode({WHOLE: {"model": f"models/{request.model.removeprefix('models/')}", **told}})


def read_reply(body: bytes) -> int:
    """Raises GARBLED for what is no count. A count of nought is left out on the wire, and all with it."""
    try:
        fields = Camel(body)
        tokens = fields.integer("totalTokens")
        return fields.need("totalTokens", tokens) if fields.names() else tokens or 0
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's count: {error.message}") from error


def write_reply(tokens: int) -> bytes:
    return json.encode({"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]})


CODEC = CountCodec(
    dialect=DIALECT,
    passed_request_headers=frozenset({b"x-goog-api-client", b"x-goog-user-project", b"x-server-timeout"}),
    passed_reply_headers=frozenset({b"retry-after"}),
    model_in_path=True,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=read_error,
    write_error=write_error,
)
