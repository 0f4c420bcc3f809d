"""What a request asks for beside its words, which chat and generate spell alike.

`options` holds what steers the model; what of it the core has no word for (num_ctx, min_p, repeat_penalty and so on)
is kept. A level of effort is taken by the models that have levels, and refused with 400 by all others, which are told
whether to think and no more.

Source: https://docs.ollama.com/api/chat, /capabilities/thinking, /capabilities/structured-outputs.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.chat import ChatRequest, OutputFormat, OutputKind, ReasoningMode, ReasoningOptions, Sampling
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile, ReasoningStyle
from isthmus.core.reasoning import effort_of
from isthmus.dialects.ollama.extras import fields_of, hollow
from isthmus.wire import json
from isthmus.wire.json import Fields

_LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")
_OPTIONS = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "stop")
_UNKNOWN = Sampling()


class Settings(NamedTuple):
    """`options` is the object of that name while it is read; `left` are leftovers found so far."""

    sampling: Sampling
    max_output: int | None
    reasoning: ReasoningOptions | None
    output: OutputFormat | None
    stream: bool
    options: Fields | None
    left: dict[str, Raw]


def read_settings(fields: Fields) -> Settings:
    """Claims the fields that both ways to ask have in common. A request that does not say so streams."""
    left = hollow(fields, ("options", "format", "think"))
    options = fields.fields("options")
    reasoning, thinking_left = _read_think(fields)
    output, format_left = _read_format(fields)
    stream = fields.flag("stream")
    return Settings(
        sampling=_read_sampling(fields, options),
        max_output=None if options is None else _read_limit(options),
        reasoning=reasoning,
        output=output,
        stream=stream is not False,
        options=options,
        left={**left, **thinking_left, **format_left},
    )


def _read_sampling(fields: Fields, options: Fields | None) -> Sampling:
    logprobs, top = fields.flag("logprobs"), fields.integer("top_logprobs")
    if options is None:
        return Sampling(logprobs=logprobs, top_logprobs=top)
    return Sampling(
        temperature=options.number("temperature"),
        top_p=options.number("top_p"),
        top_k=options.integer("top_k"),
        frequency_penalty=options.number("frequency_penalty"),
        presence_penalty=options.number("presence_penalty"),
        seed=options.integer("seed"),
        stop=_read_stop(options),
        logprobs=logprobs,
        top_logprobs=top,
    )


def _read_stop(options: Fields) -> tuple[str, ...] | None:
    value = options.look("stop")
    if value is not None and json.is_text(value):
        options.raw("stop")
        return (json.decode(value),)
    return options.texts("stop")


def _read_limit(options: Fields) -> int | None:
    """`num_predict`, where it is a limit: -1 means without end and -2 until the context is full."""
    value = options.look("num_predict")
    if value is None or bytes(value).startswith(b"-") or bytes(value) == b"0":
        return None
    return options.integer("num_predict")


def _read_think(fields: Fields) -> tuple[ReasoningOptions | None, dict[str, Raw]]:
    value = fields.raw("think")
    match None if value is None else json.decode(value):
        case bool(on):
            return ReasoningOptions(mode=ReasoningMode.ON if on else ReasoningMode.OFF), {}
        case str(effort):
            return ReasoningOptions(effort=effort), {}
    return None, {} if value is None else {"think": value}


def _read_format(fields: Fields) -> tuple[OutputFormat | None, dict[str, Raw]]:
    value = fields.raw("format")
    if value is None:
        return None, {}
    if memoryview(value)[0] == ord("{"):
        return OutputFormat(OutputKind.SCHEMA, schema=value), {}
    if bytes(value) == b'"json"':
        return OutputFormat(OutputKind.JSON), {}
    return None, {"format": value}


def write_settings(request: ChatRequest, profile: ModelProfile, losses: Losses) -> dict[str, Any]:
    """The same fields for a model that is as `profile` says."""
    document: dict[str, Any] = {}
    document.update(_write_format(request.output, losses))
    options = _write_options(request)
    if options or any(name.startswith("options.") for name in fields_of(request.extra)):
        document["options"] = options
    document["stream"] = request.stream
    if request.reasoning is not None:
        document.update(_write_think(request.reasoning, profile, losses))
    document.update(_write_logprobs(request.sampling))
    _drop_unknown(request, losses)
    return document


def _write_options(request: ChatRequest) -> dict[str, Any]:
    sampling = request.sampling
    options: dict[str, Any] = {}
    if sampling != _UNKNOWN:
        options = {name: value for name in _OPTIONS if (value := getattr(sampling, name)) is not None}
    if request.max_output is not None:
        options["num_predict"] = request.max_output
    return options


def _write_logprobs(sampling: Sampling) -> dict[str, Any]:
    told = {"logprobs": sampling.logprobs, "top_logprobs": sampling.top_logprobs}
    return {name: value for name, value in told.items() if value is not None}


def _write_format(output: OutputFormat | None, losses: Losses) -> Mapping[str, Raw | str]:
    if output is None or output.kind is OutputKind.TEXT:
        return {}
    if output.kind is OutputKind.JSON or output.schema is None:
        return {"format": "json"}
    for name, value in (("name", output.name), ("about", output.about)):
        if value is not None:
            losses.drop(f"output.{name}", "a schema of this dialect stands alone")
    return {"format": output.schema}


def _write_think(options: ReasoningOptions, profile: ModelProfile, losses: Losses) -> Mapping[str, bool | str]:
    losses.drop_extra(options.extra, "reasoning")
    if options.show is not None:
        losses.drop("reasoning.show", "this dialect cannot choose how thinking is shown")
    if profile.reasoning is ReasoningStyle.NONE:
        if options.mode is not ReasoningMode.OFF:
            losses.drop("reasoning", "this model does not think")
        return {}
    if options.budget is not None:
        losses.rewrite("reasoning.budget", "this dialect knows no budget for thinking")
        return {"think": _level(effort_of(options.budget), profile, losses)}
    if options.effort is not None:
        return {"think": options.effort != "none" and _level(options.effort, profile, losses)}
    return _switch(options.mode, losses)


def _switch(mode: ReasoningMode | None, losses: Losses) -> Mapping[str, bool]:
    match mode:
        case ReasoningMode.ON:
            return {"think": True}
        case ReasoningMode.OFF:
            return {"think": False}
        case ReasoningMode.ADAPTIVE:
            losses.drop("reasoning.mode", "this dialect leaves no model the choice whether to think")
    return {}


def _level(effort: str, profile: ModelProfile, losses: Losses) -> str | bool:
    """The level, or the nearest one that the model has; True for a model that has none."""
    levels = [level for level in profile.efforts if level != "none"]
    if effort in levels:
        return effort
    if not levels:
        losses.rewrite("reasoning.effort", "this model is told whether to think and not how much")
        return True
    losses.rewrite("reasoning.effort", f"this model takes {', '.join(levels)}")
    return min(levels, key=lambda level: (abs(_rank(level) - _rank(effort)), _rank(level)))


def _rank(level: str) -> int:
    return _LEVELS.index(level if level in _LEVELS else "medium")


def _drop_unknown(request: ChatRequest, losses: Losses) -> None:
    if (request.sampling.n or 1) > 1:
        losses.drop("sampling.n", "this dialect gives one answer")
    if request.end_user is not None:
        losses.drop("end_user", "this dialect has no word for who is asking")
