"""A request of `generateContent` and `streamGenerateContent`: peeked at, read and written.

The model, and whether the answer is streamed, stand in the URL. What the core has no word for (`safetySettings`,
`cachedContent`, fields of `generationConfig`...) is kept in the request's extra, by its path.

Source: https://ai.google.dev/api/generate-content.
"""

from msgspec import Raw, Struct

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.codec import Peek
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.output import read_output, write_output
from isthmus.dialects.gemini.generate.pen import Pen, drop_foreign, nest, own_labels
from isthmus.dialects.gemini.generate.sampling import read_sampling, write_max_output, write_sampling
from isthmus.dialects.gemini.generate.signatures import MARK
from isthmus.dialects.gemini.generate.thinking import read_thinking, write_thinking
from isthmus.dialects.gemini.generate.tools import fitting_extra, read_choice, read_tools, write_choice, write_tools
from isthmus.dialects.gemini.generate.turns import read_messages, write_messages
from isthmus.dialects.gemini.spelling import Camel, whole_object
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Malformed

_MARKED = b'"' + MARK.encode()
CONFIG = "generationConfig"
_MODALITIES = "responseModalities"


class _Glance(Struct):
    """Just enough of a request to know that it is one."""

    contents: list[Raw]


_glance = json.decoder(_Glance)


def peek(body: bytes) -> Peek:
    """Whether a signature of our own making stands in it. Raises INVALID, naming the field."""
    try:
        said = _glance(body).contents
    except DECODE_ERRORS:
        said = _look_closely(body)
    if not said:
        raise GatewayError(Kind.INVALID, "contents must hold at least one turn", param="contents")
    return Peek("", marked=_MARKED in body)


def _look_closely(body: bytes) -> list[Raw]:
    try:
        fields = Camel(body)
        return fields.need("contents", fields.each("contents"))
    except Malformed as error:
        raise invalid(error) from error


def invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def read_request(body: bytes) -> ChatRequest:
    """Raises INVALID, naming the field at fault. `model` is empty: it stands in the URL."""
    try:
        return read_fields(whole_object(body))
    except Malformed as error:
        raise invalid(error) from error


def read_fields(body: Camel) -> ChatRequest:
    """The request told by the fields of an object. Raises Malformed."""
    body.raw("model")
    kept: dict[str, Raw] = {}
    messages, tools = read_messages(body), read_tools(body)
    choice = read_choice(body.inner("toolConfig"), kept)
    config = body.inner(CONFIG) or Camel(b"{}", CONFIG)
    sampling, max_output = read_sampling(config), config.integer("maxOutputTokens")
    reasoning, output = read_thinking(config.inner("thinkingConfig")), read_output(config)
    labels = _read_labels(config)
    for prefix, rest in ((f"{CONFIG}.", config.rest(DIALECT)), ("", body.rest(DIALECT))):
        kept.update({f"{prefix}{name}": value for name, value in (rest.fields if rest else {}).items()})
    return ChatRequest(
        model="",
        messages=messages,
        tools=tools,
        tool_choice=choice,
        sampling=sampling,
        max_output=max_output,
        reasoning=reasoning,
        output=output,
        extra=Extra(DIALECT, kept, labels) if kept or labels else None,
    )


def _read_labels(config: Camel) -> dict[str, Raw]:
    """That text is wanted and nothing else is what every dialect takes for granted."""
    modalities = config.look(_MODALITIES)
    if modalities is None or json.decode(modalities) != ["TEXT"]:
        return {}
    config.raw(_MODALITIES)
    return {f"{CONFIG}.{_MODALITIES}": modalities}


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a model that is as `profile` says. What it cannot be told is noted in `losses`."""
    return json.encode(write_fields(request, Pen(profile, losses)))


def write_fields(request: ChatRequest, pen: Pen) -> Block:
    config: Block = {}
    write_sampling(config, request.sampling, pen)
    write_max_output(config, request, pen)
    words = write_output(config, request, pen)
    if thinking := write_thinking(request.reasoning, pen):
        config["thinkingConfig"] = thinking
    system, contents = write_messages(request.messages, words, pen)
    document: Block = {"systemInstruction": {"parts": system}} if system else {}
    document["contents"] = contents
    if tools := write_tools(request, pen):
        document["tools"] = tools
    if choice := write_choice(request, pen):
        document["toolConfig"] = {"functionCallingConfig": choice}
    if config:
        document[CONFIG] = config
    if request.end_user is not None:
        pen.losses.drop("end_user", "this dialect has no place for the caller's user")
    _add_leftovers(document, request, pen)
    return document


def _add_leftovers(document: Block, request: ChatRequest, pen: Pen) -> None:
    drop_foreign(request.extra, "", pen.losses)
    for name, value in {**fitting_extra(request), **own_labels(request.extra)}.items():
        nest(document, name, value)
