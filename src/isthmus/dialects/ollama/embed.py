"""Embeddings: POST /api/embed for one text or several, and the older POST /api/embeddings for one.

Source: https://docs.ollama.com/api/embed; the older one is told in the documents of servers before 0.3.
"""

from functools import partial
from typing import Any

from isthmus.core.embedding import EmbedReply, EmbedRequest, Input
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.dialects.ollama import EMBEDDINGS, OLLAMA
from isthmus.dialects.ollama.asked import invalid, peek
from isthmus.dialects.ollama.errors import read_error, told_error, write_error
from isthmus.dialects.ollama.extras import hollow, keep, kept, restore
from isthmus.dialects.ollama.metrics import read_usage, write_usage
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_TIMES = ("total_duration", "load_duration", "prompt_eval_count")
_read_vectors = json.decoder(tuple[tuple[float, ...], ...])
_read_vector = json.decoder(tuple[float, ...])


def _peek(body: bytes) -> Peek:
    """An embedding never streams."""
    return Peek(peek(body).model)


def read_request(body: bytes) -> EmbedRequest:
    """The request in a body of /api/embed. Raises INVALID, naming the field at fault."""
    try:
        fields = json.document(body)
        left = hollow(fields, ("options",))
        model, inputs, single = fields.need("model", fields.text("model")), *_read_inputs(fields)
        dimensions = fields.integer("dimensions")
        extra = kept({**left, **keep(fields)})
        return EmbedRequest(model=model, inputs=inputs, dimensions=dimensions, single=single, extra=extra)
    except Malformed as error:
        raise invalid(error) from error


def _read_inputs(fields: Fields) -> tuple[tuple[str, ...], bool]:
    value = fields.look("input")
    if value is not None and json.is_text(value):
        fields.raw("input")
        return (json.decode(value),), True
    return fields.need("input", fields.texts("input")), False


def read_single_request(body: bytes) -> EmbedRequest:
    """The request in a body of /api/embeddings. Raises INVALID, naming the field at fault."""
    try:
        fields = json.document(body)
        left = hollow(fields, ("options",))
        model, prompt = fields.need("model", fields.text("model")), fields.text("prompt") or ""
        return EmbedRequest(model=model, inputs=(prompt,), single=True, extra=kept({**left, **keep(fields)}))
    except Malformed as error:
        raise invalid(error) from error


def write_request(request: EmbedRequest, profile: ModelProfile, losses: Losses) -> bytes:  # noqa: ARG001  an EmbedCodec
    """The body of /api/embed. Raises UNSUPPORTED for tokens, which only the model's own server could take."""
    texts = [_text(one, number) for number, one in enumerate(request.inputs)]
    document: dict[str, Any] = {"model": request.model, "input": texts[0] if request.single and texts else texts}
    if request.dimensions is not None:
        document["dimensions"] = request.dimensions
    return _finish(document, request, losses)


def write_single_request(request: EmbedRequest, profile: ModelProfile, losses: Losses) -> bytes:  # noqa: ARG001  an EmbedCodec
    """The body of /api/embeddings, which takes one text. Raises UNSUPPORTED for tokens."""
    document: dict[str, Any] = {"model": request.model, "prompt": "".join(_text(one, 0) for one in request.inputs[:1])}
    if len(request.inputs) > 1:
        losses.drop("inputs", "this dialect embeds one text at a time")
    if request.dimensions is not None:
        losses.drop("dimensions", "this dialect cannot choose the length of a vector")
    return _finish(document, request, losses)


def _text(one: Input, number: int) -> str:
    if isinstance(one, str):
        return one
    raise GatewayError(Kind.UNSUPPORTED, "Ollama embeds texts and takes no tokens", param=f"input[{number}]")


def _finish(document: dict[str, Any], request: EmbedRequest, losses: Losses) -> bytes:
    if request.task is not None:
        losses.drop("task", "this dialect cannot say what a vector is for")
    if request.end_user is not None:
        losses.drop("end_user", "this dialect has no word for who is asking")
    restore(document, request.extra, "", losses)
    return json.encode(document)


def read_reply(body: bytes) -> EmbedReply:
    """The vectors in an answer of /api/embed. Raises GARBLED for what is none, and the told error."""
    fields = _open(body)
    try:
        vectors = _read_vectors(fields.need("embeddings", fields.raw("embeddings")))
        model, usage = fields.text("model") or "", read_usage(fields, None)
        return EmbedReply(model=model, vectors=vectors, usage=usage, extra=kept(keep(fields)))
    except (Malformed, *json.DECODE_ERRORS) as error:
        raise _garbled(error) from error


def read_single_reply(body: bytes) -> EmbedReply:
    """The vector in an answer of /api/embeddings, which counts nothing. Raises as `read_reply` does."""
    fields = _open(body)
    try:
        vector = _read_vector(fields.need("embedding", fields.raw("embedding")))
        return EmbedReply(model="", vectors=(vector,), extra=kept(keep(fields)))
    except (Malformed, *json.DECODE_ERRORS) as error:
        raise _garbled(error) from error


def _open(body: bytes) -> Fields:
    try:
        fields = json.document(body)
    except Malformed as error:
        raise _garbled(error) from error
    if fields.look("error") is not None:
        raise told_error(body)
    return fields


def _garbled(error: Exception) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer holds no embeddings of Ollama's: {error}")


def write_reply(reply: EmbedReply, _request: EmbedRequest, losses: Losses) -> bytes:
    """The body of an answer of /api/embed."""
    document: dict[str, Any] = {"model": reply.model, "embeddings": reply.vectors}
    document.update({name: value for name, value in write_usage(reply.usage, losses).items() if name in _TIMES})
    restore(document, reply.extra, "", losses)
    return json.encode(document)


def write_single_reply(reply: EmbedReply, _request: EmbedRequest, losses: Losses) -> bytes:
    """The body of an answer of /api/embeddings, which tells no model and counts nothing."""
    document: dict[str, Any] = {"embedding": reply.vectors[0] if reply.vectors else ()}
    restore(document, reply.extra, "", losses)
    return json.encode(document)


CODEC = EmbedCodec(
    dialect=OLLAMA,
    peek=_peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_error=read_error,
    write_error=write_error,
)
SINGLE = EmbedCodec(
    dialect=EMBEDDINGS,
    batch=1,
    peek=_peek,
    read_request=read_single_request,
    write_request=write_single_request,
    read_reply=read_single_reply,
    write_reply=write_single_reply,
    read_error=partial(read_error, dialect=EMBEDDINGS),
    write_error=write_error,
)
