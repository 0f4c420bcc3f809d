"""Embeddings: `:batchEmbedContents`, a list of texts, and `:embedContent`, one text by itself.

Only text is read into the core: a picture or a sound to be embedded is refused for every provider but Google's
own, which is given the caller's bytes. The model stands in the path, and in each request of a batch once more.

Source: https://ai.google.dev/api/embeddings.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.embedding import EmbedReply, EmbedRequest, Input
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.dialects.gemini.errors import read_error, write_error
from isthmus.dialects.gemini.spelling import Camel, whole_object
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Malformed

SINGLE = "gemini_single"
"""The name of `:embedContent` among the codecs."""
BATCH = 100
"""Requests that one batch may hold."""
EACH = "requests"
"""The leftover that holds what differs between the requests of a batch, an object for each."""


class _Vector(Struct, frozen=True, gc=False):
    values: list[float]


class _Counts(Struct, frozen=True, gc=False):
    promptTokenCount: int | None = None  # noqa: N815  as the wire spells it
    totalTokenCount: int | None = None  # noqa: N815  as above


_read_vector = json.decoder(_Vector)
_read_vectors = json.decoder(list[_Vector])
_read_counts = json.decoder(_Counts)


class _Asked:
    """One of the requests: its text, and what is said about it."""

    __slots__ = ("about", "dimensions", "task", "text")

    def __init__(self, fields: Camel) -> None:
        fields.text("model")
        self.text = _text(fields.need("content", fields.inner("content")))
        task = fields.text("taskType")
        self.task = None if task is None else task.lower()
        self.dimensions = fields.integer("outputDimensionality")
        rest = fields.rest(DIALECT)
        self.about: Mapping[str, Raw] = {} if rest is None else rest.fields

    def whole(self) -> dict[str, Any]:
        """Everything but the text, as it is written."""
        return {**_settings(self.task, self.dimensions), **self.about}


def _text(content: Camel) -> str:
    texts = []
    for item in content.need("parts", content.each("parts")):
        part = Camel(item, content.at("parts"))
        text = part.text("text")
        if text is None:
            message = "only texts can be embedded by a provider other than Google"
            raise GatewayError(Kind.UNSUPPORTED, message, param=content.at("parts"))
        texts.append(text)
    return "".join(texts)


def _settings(task: str | None, dimensions: int | None) -> dict[str, Any]:
    told = {"taskType": None if task is None else task.upper(), "outputDimensionality": dimensions}
    return {name: value for name, value in told.items() if value is not None}


def peek(body: bytes) -> Peek:
    """The model stands in the path. Raises INVALID for a batch without requests."""
    return _peek(body, EACH)


def peek_single(body: bytes) -> Peek:
    """The same for a request without content."""
    return _peek(body, "content")


def _peek(body: bytes, name: str) -> Peek:
    try:
        fields = Camel(body)
        fields.need(name, fields.raw(name))
    except Malformed as error:
        raise _invalid(error) from error
    return Peek("")


def read_request(body: bytes) -> EmbedRequest:
    """A batch. Raises INVALID, naming the field at fault, and UNSUPPORTED for what is no text."""
    try:
        fields = whole_object(body)
        items = fields.need(EACH, fields.each(EACH))
        asked = [_Asked(Camel(item, f"{EACH}[{number}]")) for number, item in enumerate(items)]
        if not asked:
            raise Malformed(f"{EACH} must not be empty", EACH)
    except Malformed as error:
        raise _invalid(error) from error
    return _gather(asked, single=False)


def read_single(body: bytes) -> EmbedRequest:
    """One text. Raises as `read_request` does."""
    try:
        asked = _Asked(whole_object(body))
    except Malformed as error:
        raise _invalid(error) from error
    return _gather([asked], single=True)


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def _gather(asked: Sequence[_Asked], *, single: bool) -> EmbedRequest:
    """One request of the core, where all say the same but for the text; else what each says is kept beside."""
    first, inputs = asked[0], tuple(one.text for one in asked)
    if all(one.whole() == first.whole() for one in asked):
        extra = Extra(DIALECT, first.about) if first.about else None
        return EmbedRequest(
            model="", inputs=inputs, dimensions=first.dimensions, task=first.task, single=single, extra=extra
        )
    kept = Extra(DIALECT, {EACH: json.raw([one.whole() for one in asked])})
    return EmbedRequest(model="", inputs=inputs, single=single, extra=kept)


def write_request(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """The body of a batch. Raises UNSUPPORTED for tokens, which only the model's own maker could read."""
    model = request.model if request.model.startswith(("models/", "tunedModels/")) else f"models/{request.model}"
    told = _told(request, losses)
    return json.encode(
        {
            EACH: [
                {"model": model, **_content(text), **settings}
                for text, settings in zip(request.inputs, told, strict=True)
            ]
        }
    )


def write_single(request: EmbedRequest, _: ModelProfile, losses: Losses) -> bytes:
    """The body for one text."""
    if len(request.inputs) != 1:
        raise GatewayError(Kind.INVALID, "one request holds one text", param="content")
    return json.encode({**_content(request.inputs[0]), **_told(request, losses)[0]})


def _content(text: Input) -> dict[str, Any]:
    if not isinstance(text, str):
        raise GatewayError(Kind.UNSUPPORTED, "this provider embeds texts, and no tokens of another's", param="input")
    return {"content": {"parts": [{"text": text}]}}


def _told(request: EmbedRequest, losses: Losses) -> Sequence[Mapping[str, Any]]:
    """What is said about each input."""
    if request.end_user is not None:
        losses.drop("end_user", "this dialect names no end user")
    extra, count = request.extra, len(request.inputs)
    settings = _settings(request.task, request.dimensions)
    if extra is None or extra.dialect != DIALECT:
        losses.drop_extra(extra, "")
        return [settings] * count
    each = [json.read_fields(item) for item in json.read_items(extra.fields[EACH])] if EACH in extra.fields else []
    return each if len(each) == count else [{**settings, **extra.fields}] * count


def read_reply(body: bytes) -> EmbedReply:
    """The vectors of a batch. Raises GARBLED for what is no answer."""
    return _read_reply(body, "embeddings")


def read_single_reply(body: bytes) -> EmbedReply:
    """One vector."""
    return _read_reply(body, "embedding")


def _read_reply(body: bytes, name: str) -> EmbedReply:
    try:
        fields = whole_object(body)
        told = fields.need(name, fields.raw(name))
        vectors = _read_vectors(told) if name == "embeddings" else [_read_vector(told)]
    except Malformed as error:
        raise _garbled(error.message) from error
    except DECODE_ERRORS as error:
        raise _garbled(str(error)) from error
    usage = fields.raw("usageMetadata")
    return EmbedReply(
        model="",
        vectors=tuple(tuple(one.values) for one in vectors),
        usage=None if usage is None else _read_usage(usage),
        extra=fields.rest(DIALECT),
    )


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer holds no embeddings: {reason}")


def _read_usage(body: Raw) -> Usage:
    try:
        counts = _read_counts(body)
    except DECODE_ERRORS:
        counts = _Counts()
    return Usage(
        fresh_input=max(counts.promptTokenCount or counts.totalTokenCount or 0, 0), native=Foreign(DIALECT, body)
    )


def write_reply(reply: EmbedReply, _: EmbedRequest, losses: Losses) -> bytes:
    """The body of the answer to a batch."""
    return _write_reply({"embeddings": [{"values": vector} for vector in reply.vectors]}, reply, losses)


def write_single_reply(reply: EmbedReply, _: EmbedRequest, losses: Losses) -> bytes:
    """The body of the answer for one text. Raises GARBLED where there is no vector."""
    if not reply.vectors:
        raise _garbled("none")
    return _write_reply({"embedding": {"values": reply.vectors[0]}}, reply, losses)


def _write_reply(document: dict[str, Any], reply: EmbedReply, losses: Losses) -> bytes:
    usage, extra = reply.usage, reply.extra
    if usage is not None:
        ours = usage.native is not None and usage.native.dialect == DIALECT
        document["usageMetadata"] = (
            usage.native.body if ours and usage.native is not None else {"promptTokenCount": usage.input}
        )
    if extra is not None and extra.dialect == DIALECT:
        document.update(extra.fields)
    else:
        losses.drop_extra(extra, "")
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
SINGLE_CODEC = EmbedCodec(
    dialect=SINGLE,
    model_in_path=True,
    batch=1,
    peek=peek_single,
    read_request=read_single,
    write_request=write_single,
    read_reply=read_single_reply,
    write_reply=write_single_reply,
    read_error=read_error,
    write_error=write_error,
)
