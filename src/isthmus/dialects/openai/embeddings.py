"""Embeddings, POST /v1/embeddings, as OpenAI defines it and many hosts speak it.

Vectors travel as lists of numbers, or as base64 of little-endian 32-bit floats, which is what OpenAI's own SDKs
ask for. A number read from base64 is exact; one that is written to base64 is rounded to 32 bits, which is all
that the spelling holds.

Source: the OpenAI API reference, "Create embeddings".
"""

import base64
import math
import struct
from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.embedding import EmbedReply, EmbedRequest, Input
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.dialects.openai.errors import read_error, told_error, write_error
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

DIALECT = "openai"
WIDTH = 4
"""Bytes of one number in base64."""
_HEADERS = frozenset(
    {b"x-request-id", b"openai-processing-ms", b"openai-version", b"retry-after", b"retry-after-ms"}
    | {f"x-ratelimit-{what}-{of}".encode() for what in ("limit", "remaining", "reset") for of in ("requests", "tokens")}
)


class _Glance(Struct, frozen=True, gc=False):
    model: str
    input: Raw


class _Inputs(Struct, frozen=True, gc=False):
    input: str | list[str | int | list[int]]


class _Item(Struct, frozen=True, gc=False):
    embedding: list[float] | str
    index: int | None = None


class _Counts(Struct, frozen=True, gc=False):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Outline(Struct, frozen=True, gc=False):
    """What is looked at in an answer that is passed through. The vectors are not."""

    data: Raw
    usage: Raw = json.NULL
    error: Raw = json.NULL


_glance = json.decoder(_Glance)
_read_outline = json.decoder(_Outline)
_read_items = json.decoder(list[_Item])
_read_counts = json.decoder(_Counts)
_read_inputs = json.decoder(_Inputs)


def peek(body: bytes) -> Peek:
    """The model. Raises INVALID, naming the field at fault."""
    try:
        seen = _glance(body)
        if seen.model and seen.input != json.NULL:
            return Peek(seen.model)
    except DECODE_ERRORS:
        pass
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model") or None)
        fields.need("input", fields.raw("input"))
    except Malformed as error:
        raise _invalid(error) from error
    return Peek(model)


def read_request(body: bytes) -> EmbedRequest:
    """The request in `body`. Raises INVALID, naming the field at fault."""
    try:
        return _read(json.document(body), body)
    except Malformed as error:
        raise _invalid(error) from error


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def _read(fields: Fields, body: bytes) -> EmbedRequest:
    model = fields.need("model", fields.text("model"))
    fields.need("input", fields.raw("input"))
    inputs, single = _inputs(body)
    return EmbedRequest(
        model=model,
        inputs=inputs,
        dimensions=fields.integer("dimensions"),
        base64=_read_format(fields.text("encoding_format")),
        single=single,
        end_user=fields.text("user"),
        extra=fields.rest(DIALECT),
    )


def _read_format(word: str | None) -> bool | None:
    if word not in (None, "float", "base64"):
        raise Malformed('encoding_format must be "float" or "base64"', "encoding_format")
    return None if word is None else word == "base64"


def _inputs(body: bytes) -> tuple[tuple[Input, ...], bool]:
    """The inputs, and whether there was one by itself: a string, or a list of tokens."""
    try:
        told = _read_inputs(body).input
    except DECODE_ERRORS as error:
        message = "input must be a string, a list of strings, a list of tokens, or a list of such lists"
        raise Malformed(message, "input") from error
    if isinstance(told, str):
        return (told,), True
    if not told:
        raise Malformed("input must not be empty", "input")
    if all(isinstance(item, int) for item in told):
        return (tuple(item for item in told if isinstance(item, int)),), True
    return tuple(map(_read_input, told)), False


def _read_input(item: str | int | list[int]) -> Input:
    if isinstance(item, int):
        raise Malformed("input must not mix texts and tokens", "input")
    return item if isinstance(item, str) else tuple(item)


def write_request(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """The body for a provider."""
    document: dict[str, Any] = {"model": request.model}
    document["input"] = request.inputs[0] if request.single and len(request.inputs) == 1 else request.inputs
    if request.dimensions is not None:
        document["dimensions"] = request.dimensions
    if request.base64 is not None:
        document["encoding_format"] = "base64" if request.base64 else "float"
    if request.end_user is not None:
        document["user"] = request.end_user
    if request.task is not None:
        losses.drop("task", "this dialect does not tell what vectors are for")
    _restore(document, request.extra, losses)
    return json.encode(document)


def _restore(document: dict[str, Any], extra: Extra | None, losses: Losses) -> None:
    """Put the leftovers of this dialect back; tell those of another."""
    if extra is not None and extra.dialect == DIALECT:
        document.update({name: value for name, value in extra.fields.items() if name not in document})
    else:
        losses.drop_extra(extra, "")


def read_reply(body: bytes) -> EmbedReply:
    """The vectors in `body`, in the order of the inputs. Raises GARBLED for what is no answer, or the told error."""
    try:
        fields = json.document(body)
        if fields.look("error") is not None:
            raise told_error(body)
        return _read_reply(fields)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer holds no embeddings: {error.message}") from error


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises GARBLED for what is no answer, or the told error."""
    try:
        outline = _read_outline(body)
    except DECODE_ERRORS:
        return read_reply(body).usage
    if outline.error != json.NULL:
        raise told_error(body)
    return None if outline.usage == json.NULL else _read_usage(outline.usage)


def _read_reply(fields: Fields) -> EmbedReply:
    data, usage = fields.need("data", fields.raw("data")), fields.raw("usage")
    try:
        items = _read_items(data)
    except DECODE_ERRORS as error:
        raise Malformed(str(error), "data") from error
    if all(item.index is not None for item in items):
        items = sorted(items, key=lambda item: item.index or 0)
    fields.text("object")
    return EmbedReply(
        model=fields.text("model") or "",
        vectors=tuple(_read_vector(item.embedding) for item in items),
        usage=None if usage is None else _read_usage(usage),
        extra=fields.rest(DIALECT),
    )


def _read_vector(told: list[float] | str) -> tuple[float, ...]:
    return tuple(told) if isinstance(told, list) else unpack(told)


def unpack(text: str) -> tuple[float, ...]:
    """The numbers in base64 text. Raises Malformed for what is none, or holds what is no finite number."""
    try:
        packed = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed(f"an embedding is not base64: {error}", "data") from error
    if len(packed) % WIDTH:
        raise Malformed(f"an embedding of {len(packed)} bytes is no list of 32-bit floats", "data")
    vector = struct.unpack(f"<{len(packed) // WIDTH}f", packed)
    if not math.isfinite(sum(vector)):
        raise Malformed("an embedding holds what is no finite number", "data")
    return vector


def pack(vector: Sequence[float]) -> str:
    """The numbers as base64 of little-endian 32-bit floats. Raises GARBLED for one too large for that."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError as error:
        raise GatewayError(Kind.GARBLED, "the provider sent a number too large for a 32-bit float") from error


def _read_usage(body: Raw) -> Usage:
    try:
        counts = _read_counts(body)
    except DECODE_ERRORS:
        counts = _Counts()
    told = counts.total_tokens if counts.prompt_tokens is None else counts.prompt_tokens
    return Usage(fresh_input=max(told or 0, 0), native=Foreign(DIALECT, body))


def write_reply(reply: EmbedReply, request: EmbedRequest, losses: Losses) -> bytes:
    """The body of the answer, its vectors spelled as `request` asked for them."""
    spell = pack if request.base64 else tuple
    document: dict[str, Any] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": number, "embedding": spell(vector)}
            for number, vector in enumerate(reply.vectors)
        ],
        "model": reply.model,
        "usage": _write_usage(reply.usage),
    }
    _restore(document, reply.extra, losses)
    return json.encode(document)


def _write_usage(usage: Usage | None) -> dict[str, int] | Raw:
    """Clients expect the counts to be there."""
    if usage is not None and usage.native is not None and usage.native.dialect == DIALECT:
        return usage.native.body
    told = 0 if usage is None else usage.input
    return {"prompt_tokens": told, "total_tokens": told}


CODEC = EmbedCodec(
    dialect=DIALECT,
    passed_request_headers=frozenset({b"openai-beta"}),
    passed_reply_headers=_HEADERS,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    tap_reply=tap_reply,
    read_error=partial(read_error, dialect=DIALECT),
    write_error=write_error,
)
