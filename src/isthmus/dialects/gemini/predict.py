"""Embeddings as Vertex AI gives them by `:predict`: a list of instances, a vector and a count for each.

The model stands in the path. Nobody asks for embeddings in this dialect, so it is written for the provider and read
from it; the other halves are there because a codec is whole. The newest models are asked by `:embedContent` instead
(embed.py).

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api.
"""

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from isthmus.core.embedding import EmbedReply, EmbedRequest, Input
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.dialects.gemini.errors import read_error, write_error
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Malformed

DIALECT = "vertex"
SINGLE = "vertex_single"
"""The same for models that take one text in a request."""
BATCH = 5
"""Texts that a request may hold in every region; one of them takes more."""


class _Statistics(Struct, frozen=True, gc=False):
    token_count: float = 0.0


class _Vector(Struct, frozen=True, gc=False):
    values: list[float]
    statistics: _Statistics = _Statistics()


class _Prediction(Struct, frozen=True, gc=False):
    embeddings: _Vector


_read_predictions = json.decoder(list[_Prediction])


def peek(body: bytes) -> Peek:
    """Raises INVALID for a body without instances."""
    try:
        fields = json.document(body)
        fields.need("instances", fields.items("instances") or None)
    except Malformed as error:
        raise _invalid(error) from error
    return Peek("")


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def _garbled(reason: object) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer holds no embeddings: {reason}")


def read_request(body: bytes) -> EmbedRequest:
    """Raises INVALID, naming the field at fault, and UNSUPPORTED for instances of which each says something else."""
    try:
        fields = json.document(body)
        instances = fields.need("instances", fields.items("instances") or None)
        told = [(each.need("content", each.text("content")), each.text("task_type")) for each in instances]
        parameters = fields.fields("parameters")
        dimensions = None if parameters is None else parameters.integer("outputDimensionality")
    except Malformed as error:
        raise _invalid(error) from error
    tasks = {task for _, task in told}
    if len(tasks) > 1 or any(each.rest(DIALECT) is not None for each in instances):
        message = "only texts that are all asked for in the same way can be embedded by another provider"
        raise GatewayError(Kind.UNSUPPORTED, message, param="instances")
    task = tasks.pop()
    rest = None if parameters is None else parameters.rest(DIALECT)
    return EmbedRequest(
        model="",
        inputs=tuple(text for text, _ in told),
        dimensions=dimensions,
        task=None if task is None else task.lower(),
        extra=None if rest is None else Extra(DIALECT, {"parameters": json.raw(rest.fields)}),
    )


def write_request(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """Raises UNSUPPORTED for tokens."""
    if request.end_user is not None:
        losses.drop("end_user", "this dialect names no end user")
    task = {} if request.task is None else {"task_type": request.task.upper()}
    document: dict[str, Any] = {"instances": [{"content": _words(text), **task} for text in request.inputs]}
    parameters: dict[str, Any] = {}
    if request.dimensions is not None:
        parameters["outputDimensionality"] = request.dimensions
    if request.extra is not None and request.extra.dialect == DIALECT:
        parameters.update(json.read_fields(request.extra.fields["parameters"]))
    else:
        losses.drop_extra(request.extra, "")
    return json.encode(document | ({"parameters": parameters} if parameters else {}))


def read_single(body: bytes) -> EmbedRequest:
    """The same for one text. Raises INVALID for several, which these models refuse."""
    return replace(_one(read_request(body)), single=True)


def write_single(request: EmbedRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The same for one text."""
    return write_request(_one(request), profile, losses)


def _one(request: EmbedRequest) -> EmbedRequest:
    if len(request.inputs) != 1:
        raise GatewayError(Kind.INVALID, "one request to this model holds one text", param="instances")
    return request


def _words(text: Input) -> str:
    if not isinstance(text, str):
        raise GatewayError(Kind.UNSUPPORTED, "this provider embeds texts, and no tokens of another's", param="input")
    return text


def read_reply(body: bytes) -> EmbedReply:
    """Raises GARBLED for what is no answer."""
    try:
        fields = json.document(body)
        told = _read_predictions(fields.need("predictions", fields.raw("predictions")))
    except Malformed as error:
        raise _garbled(error.message) from error
    except DECODE_ERRORS as error:
        raise _garbled(error) from error
    tokens = sum(int(one.embeddings.statistics.token_count) for one in told)
    vectors = tuple(tuple(one.embeddings.values) for one in told)
    return EmbedReply(model="", vectors=vectors, usage=Usage(fresh_input=max(tokens, 0)), extra=fields.rest(DIALECT))


def write_reply(reply: EmbedReply, _: EmbedRequest, losses: Losses) -> bytes:
    """The tokens that were counted for all stand at the first text: nobody says how many each had."""
    counts = [0 if reply.usage is None else reply.usage.input, *[0] * (len(reply.vectors) - 1)]
    predictions = [
        {"embeddings": {"values": vector, "statistics": {"truncated": False, "token_count": count}}}
        for vector, count in zip(reply.vectors, counts, strict=False)
    ]
    document: dict[str, Any] = {"predictions": predictions}
    if reply.extra is not None and reply.extra.dialect == DIALECT:
        document.update(reply.extra.fields)
    else:
        losses.drop_extra(reply.extra, "")
    return json.encode(document)


CODEC = EmbedCodec(
    dialect=DIALECT,
    model_in_path=True,
    batch=BATCH,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=read_error,
    write_error=write_error,
)
SINGLE_CODEC = replace(CODEC, dialect=SINGLE, batch=1, read_request=read_single, write_request=write_single)
