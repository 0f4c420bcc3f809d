"""Embeddings by InvokeModel, whose body is each maker's own: Amazon's Titan, one text a call, and Cohere's, a list.

The model stands in the path. Nobody asks for embeddings in these dialects, so that they are written for providers
and read from them; the other halves are there because a codec is whole.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from isthmus.core.embedding import EmbedReply, EmbedRequest, Input
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.bedrock.errors import read_error, write_error
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

TITAN = "bedrock_titan"
COHERE = "bedrock_cohere"
TEXTS = 96
"""Texts that one call to Cohere's models may hold."""

_TASKS: Mapping[str, str] = {
    "retrieval_query": "search_query",
    "retrieval_document": "search_document",
    "classification": "classification",
    "clustering": "clustering",
}
"""What vectors are for, in the core's word and in Cohere's."""
_SAID: Mapping[str, str] = {theirs: ours for ours, theirs in _TASKS.items()}
_UNSAID = "search_document"
"""Written where the caller did not say, because the models refuse requests without it."""


class _Titan(Struct, frozen=True, gc=False):
    embedding: list[float]
    inputTextTokenCount: int | None = None  # noqa: N815  as the wire spells it


class _ByType(Struct, frozen=True, gc=False):
    float: list[list[float]]


class _Floats(Struct, frozen=True, gc=False):
    embeddings: list[list[float]]


class _Types(Struct, frozen=True, gc=False):
    embeddings: _ByType


_read_titan = json.decoder(_Titan)
_read_floats = json.decoder(_Floats)
_read_types = json.decoder(_Types)


def _peek(name: str, body: bytes) -> Peek:
    fields = _fields(body)
    try:
        fields.need(name, fields.raw(name))
    except Malformed as error:
        raise _invalid(error) from error
    return Peek("")


def _fields(body: bytes) -> Fields:
    try:
        return json.document(body)
    except Malformed as error:
        raise _invalid(error) from error


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def _garbled(reason: object) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer holds no embeddings: {reason}")


def _words(text: Input) -> str:
    if not isinstance(text, str):
        raise GatewayError(Kind.UNSUPPORTED, "this provider embeds texts, and no tokens of another's", param="input")
    return text


def _finish(document: dict[str, Any], extra: Extra | None, dialect: str, losses: Losses) -> bytes:
    """Put the leftovers of this dialect back; tell those of another."""
    if extra is not None and extra.dialect == dialect:
        document.update({name: value for name, value in extra.fields.items() if name not in document})
    else:
        losses.drop_extra(extra, "")
    return json.encode(document)


def peek_titan(body: bytes) -> Peek:
    """Raises INVALID for a body without a text."""
    return _peek("inputText", body)


def read_titan_request(body: bytes) -> EmbedRequest:
    """Raises INVALID, naming the field at fault."""
    fields = _fields(body)
    try:
        text = fields.need("inputText", fields.text("inputText"))
        dimensions = fields.integer("dimensions")
    except Malformed as error:
        raise _invalid(error) from error
    return EmbedRequest(model="", inputs=(text,), dimensions=dimensions, single=True, extra=fields.rest(TITAN))


def write_titan_request(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """Raises UNSUPPORTED for tokens, and INVALID for more than one text."""
    if len(request.inputs) != 1:
        raise GatewayError(Kind.INVALID, "one call to this model holds one text", param="input")
    document: dict[str, Any] = {"inputText": _words(request.inputs[0])}
    if request.dimensions is not None:
        document["dimensions"] = request.dimensions
    if request.task is not None:
        losses.drop("task", "this model is not told what vectors are for")
    if request.end_user is not None:
        losses.drop("end_user", "this dialect names no end user")
    return _finish(document, request.extra, TITAN, losses)


def read_titan_reply(body: bytes) -> EmbedReply:
    """Raises GARBLED for what is no answer."""
    try:
        told = _read_titan(body)
    except DECODE_ERRORS as error:
        raise _garbled(error) from error
    usage = None if told.inputTextTokenCount is None else Usage(fresh_input=max(told.inputTextTokenCount, 0))
    return EmbedReply(model="", vectors=(tuple(told.embedding),), usage=usage)


def write_titan_reply(reply: EmbedReply, _: EmbedRequest, losses: Losses) -> bytes:
    """Raises GARBLED where there is no vector."""
    if not reply.vectors:
        raise _garbled("none")
    vector = reply.vectors[0]
    document: dict[str, Any] = {"embedding": vector, "embeddingsByType": {"float": vector}}
    document["inputTextTokenCount"] = 0 if reply.usage is None else reply.usage.input
    return _finish(document, reply.extra, TITAN, losses)


def peek_cohere(body: bytes) -> Peek:
    """Raises INVALID for a body without texts."""
    return _peek("texts", body)


def read_cohere_request(body: bytes) -> EmbedRequest:
    """Raises INVALID, naming the field at fault."""
    fields = _fields(body)
    try:
        texts = fields.need("texts", fields.texts("texts") or None)
        said = fields.text("input_type")
        dimensions = fields.integer("output_dimension")
    except Malformed as error:
        raise _invalid(error) from error
    task = None if said is None else _SAID.get(said, said)
    return EmbedRequest(model="", inputs=texts, dimensions=dimensions, task=task, extra=fields.rest(COHERE))


def write_cohere_request(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """Raises UNSUPPORTED for tokens."""
    document: dict[str, Any] = {"texts": [_words(text) for text in request.inputs]}
    document["input_type"] = _input_type(request.task, losses)
    if request.dimensions is not None:
        document["output_dimension"] = request.dimensions
    if request.end_user is not None:
        losses.drop("end_user", "this dialect names no end user")
    return _finish(document, request.extra, COHERE, losses)


def _input_type(task: str | None, losses: Losses) -> str:
    if task is None:
        losses.emulate("task", f"this model must be told what vectors are for: {_UNSAID}")
        return _UNSAID
    if task not in _TASKS:
        losses.rewrite("task", f"this model knows no such use of vectors: {_UNSAID}")
    return _TASKS.get(task, _UNSAID)


def read_cohere_reply(body: bytes) -> EmbedReply:
    """A list of vectors, by itself or under its type. Raises GARBLED for what is no answer."""
    try:
        vectors = _read_floats(body).embeddings
    except DECODE_ERRORS:
        try:
            vectors = _read_types(body).embeddings.float
        except DECODE_ERRORS as error:
            raise _garbled(error) from error
    return EmbedReply(model="", vectors=tuple(map(tuple, vectors)))


def write_cohere_reply(reply: EmbedReply, request: EmbedRequest, losses: Losses) -> bytes:
    document: dict[str, Any] = {"embeddings": reply.vectors, "response_type": "embeddings_floats"}
    document["texts"] = [text for text in request.inputs if isinstance(text, str)]
    return _finish(document, reply.extra, COHERE, losses)


TITAN_CODEC = EmbedCodec(
    dialect=TITAN,
    model_in_path=True,
    batch=1,
    peek=peek_titan,
    read_request=read_titan_request,
    write_request=write_titan_request,
    read_reply=read_titan_reply,
    write_reply=write_titan_reply,
    read_error=read_error,
    write_error=write_error,
)
COHERE_CODEC = EmbedCodec(
    dialect=COHERE,
    model_in_path=True,
    batch=TEXTS,
    peek=peek_cohere,
    read_request=read_cohere_request,
    write_request=write_cohere_request,
    read_reply=read_cohere_reply,
    write_reply=write_cohere_reply,
    read_error=read_error,
    write_error=write_error,
)
