"""One request to POST /v1/completions, read and written.

Source: the OpenAI API reference, "Create completion".
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType

from isthmus.core.chat import ChatRequest, OutputKind, Sampling, ToolMode
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.codec import Peek
from isthmus.dialects.openai import COMPLETIONS
from isthmus.dialects.openai.completions.prompt import ECHO, PROMPT, read_prompt, restore, write_prompt
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

_ASK = json.raw(True)


class _Options(Struct, frozen=True, gc=False):
    include_usage: bool | None = None


class _Glance(Struct, frozen=True, gc=False):
    model: str
    stream: bool | None = None
    stream_options: _Options | None = None
    max_tokens: int | UnsetType | None = None


_glance = json.decoder(_Glance)


def peek(body: bytes) -> Peek:
    """Model, stream flag, and whether usage was asked for. Raises INVALID, naming the field at fault."""
    try:
        seen = _glance(body)
    except DECODE_ERRORS:
        seen = _look_closely(body)
    if not seen.model:
        raise GatewayError(Kind.INVALID, "model must not be empty", param="model")
    asked = seen.stream_options is not None and bool(seen.stream_options.include_usage)
    return Peek(seen.model, bool(seen.stream), asked, bound=seen.max_tokens)


def _look_closely(body: bytes) -> _Glance:
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model"))
        options = fields.fields("stream_options")
        asked = None if options is None else options.flag("include_usage")
        return _Glance(model, fields.flag("stream"), _Options(asked), UNSET)
    except Malformed as error:
        raise _invalid(error) from error


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def ask_usage(fields: Mapping[str, Raw]) -> Mapping[str, Raw | None]:
    """The change that makes a provider send usage in a stream."""
    options = fields.get("stream_options", json.NULL)
    told = {} if options == json.NULL else json.read_fields(options)
    return {"stream_options": json.raw({**told, "include_usage": _ASK})}


def read_request(body: bytes) -> ChatRequest:
    """The request in `body`. Raises INVALID, naming the field at fault."""
    try:
        return _read(json.document(body))
    except Malformed as error:
        raise _invalid(error) from error


def _read(fields: Fields) -> ChatRequest:
    model, stream = fields.need("model", fields.text("model")), fields.flag("stream")
    kept: dict[str, Raw] = _read_options(fields)
    labels: dict[str, Raw] = {}
    messages = read_prompt(fields.raw(PROMPT), kept, labels)
    if (echo := fields.flag(ECHO)) is not None:
        labels[ECHO] = json.raw(echo)
    sampling, max_output, end_user = _read_sampling(fields), fields.integer("max_tokens"), fields.text("user")
    if (rest := fields.rest(COMPLETIONS)) is not None:
        kept = {**rest.fields, **kept}
    return ChatRequest(
        model=model,
        messages=messages,
        sampling=sampling,
        max_output=max_output,
        stream=bool(stream),
        end_user=end_user,
        extra=Extra(COMPLETIONS, kept, labels) if kept or labels else None,
    )


def _read_options(fields: Fields) -> dict[str, Raw]:
    options = fields.fields("stream_options")
    if options is None:
        return {}
    options.flag("include_usage")
    left = options.rest(COMPLETIONS)
    return {} if left is None else {"stream_options": json.raw(left.fields)}


def _read_sampling(fields: Fields) -> Sampling:
    most_likely = fields.integer("logprobs")
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=_read_stop(fields),
        n=fields.integer("n"),
        logprobs=None if most_likely is None else True,
        top_logprobs=most_likely,
    )


def _read_stop(fields: Fields) -> tuple[str, ...] | None:
    value = fields.look("stop")
    if value is not None and json.is_text(value):
        fields.raw("stop")
        return (json.decode(value),)
    return fields.texts("stop")


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a provider. What a text to be continued cannot say is noted in `losses`."""
    document: dict[str, Any] = {"model": request.model, PROMPT: write_prompt(request, losses)}
    document.update(_write_sampling(request.sampling, profile, losses))
    document.update(_write_max_output(request.max_output, profile, losses))
    if request.end_user is not None:
        document["user"] = request.end_user
    if request.stream:
        document["stream"] = True
        kept = {} if request.extra is None or request.extra.dialect != COMPLETIONS else request.extra.fields
        more = json.read_fields(kept["stream_options"]) if "stream_options" in kept else {}
        document["stream_options"] = {"include_usage": True, **more}
    _tell_unsaid(request, losses)
    restore(document, request.extra, losses)
    return json.encode(document)


_PLAIN = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "stop", "n")


def _write_sampling(sampling: Sampling, profile: ModelProfile, losses: Losses) -> dict[str, Any]:
    told = {name: getattr(sampling, name) for name in _PLAIN}
    document = {name: value for name, value in told.items() if value is not None}
    if document.get("temperature", 0.0) > profile.max_temperature:
        losses.rewrite("sampling.temperature", f"this model takes at most {profile.max_temperature}")
        document["temperature"] = profile.max_temperature
    if sampling.top_k is not None:
        losses.drop("sampling.top_k", "this dialect has no top_k")
    if sampling.logprobs:
        document["logprobs"] = sampling.top_logprobs or 0
    elif sampling.top_logprobs:
        losses.drop("sampling.top_logprobs", "this dialect gives them only where log probabilities are asked for")
    return document


def _write_max_output(wanted: int | None, profile: ModelProfile, losses: Losses) -> dict[str, int]:
    if wanted is None:
        return {"max_tokens": profile.default_max_output} if profile.requires_max_output else {}
    if profile.max_output_limit is not None and wanted > profile.max_output_limit:
        losses.rewrite("max_output", f"this model writes at most {profile.max_output_limit} tokens")
        wanted = profile.max_output_limit
    return {"max_tokens": wanted}


def _tell_unsaid(request: ChatRequest, losses: Losses) -> None:
    """Everything that makes an answer more than the rest of a text."""
    choice, output = request.tool_choice, request.output
    unsaid = {
        "tools": request.tools,
        "tool_choice": choice is not None and choice.mode not in (ToolMode.AUTO, ToolMode.NONE),
        "parallel_tools": request.parallel_tools,
        "reasoning": request.reasoning,
        "output": output is not None and output.kind is not OutputKind.TEXT,
    }
    for path, said in unsaid.items():
        if said:
            losses.drop(path, "a text is continued here, and nothing else")
