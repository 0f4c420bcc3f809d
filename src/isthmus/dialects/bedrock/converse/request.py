"""A request of `POST /model/{modelId}/converse`: peeked at, read and written. The model stands in the path.

What the core has no word for (`guardrailConfig`, `performanceConfig`, `promptVariables`...) is kept in the request's
extra, under its own name. `additionalModelRequestFields` holds what only the model's maker knows: what the core has
words for is read out of it, the rest stays there.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

import hashlib
import re
from collections.abc import Mapping

from msgspec import Raw

from isthmus.core.chat import ChatRequest, OutputFormat, ReasoningOptions
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Value
from isthmus.dialects.bedrock.converse.marks import Block
from isthmus.dialects.bedrock.converse.output import read_format, write_format
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.converse.sampling import read_sampling, write_sampling
from isthmus.dialects.bedrock.converse.thinking import (
    MODES,
    fit_output,
    plan_reasoning,
    read_config,
    read_thinking,
    write_thinking,
)
from isthmus.dialects.bedrock.converse.tools import read_choice, read_tools, write_tools
from isthmus.dialects.bedrock.converse.turns import asks_for_tools, read_messages, write_turns
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.dialects.codec import Peek
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_MODEL_FIELDS = "additionalModelRequestFields"
_PATHS = "additionalModelResponseFieldPaths"
_STOP_PATH = ["/stop_sequence"]
"""Asks Claude to name the stop sequence that it met."""
_EMPTY = Raw(b"{}")
_USER = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,\-.]{1,256}")
"""What a value of `requestMetadata` may be."""


def peek(body: bytes) -> Peek:
    """What routing needs stands in the path. Raises INVALID for a request without messages."""
    try:
        fields = Fields(body)
        messages = json.read_items(fields.need("messages", fields.raw("messages")), "messages")
    except Malformed as error:
        raise _invalid(error) from error
    if not messages:
        raise GatewayError(Kind.INVALID, "messages must hold at least one message", param="messages")
    return Peek("")


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def read_request(body: bytes) -> ChatRequest:
    """Raises INVALID, naming the field at fault."""
    try:
        return _read(json.document(body))
    except Malformed as error:
        raise _invalid(error) from error


class _Own(Value, frozen=True):
    """What the core has words for of the maker's fields."""

    top_k: int | None = None
    single: bool | None = None
    reasoning: ReasoningOptions | None = None


def _read(body: Fields) -> ChatRequest:
    kept: dict[str, Raw] = {}
    messages = read_messages(body)
    effort, output = _read_output(body, kept)
    own = _read_own(body, effort, kept)
    config = body.fields("inferenceConfig") or Fields(_EMPTY)
    max_output, sampling = config.integer("maxTokens"), read_sampling(config, own.top_k)
    _keep(config, "inferenceConfig", kept)
    asked = body.fields("toolConfig") or Fields(_EMPTY, "toolConfig")
    tools, choice = read_tools(asked), read_choice(asked)
    _keep(asked, "toolConfig", kept)
    user = _read_user(body, kept)
    paths = body.look(_PATHS)
    if paths is not None and json.decode(paths) == _STOP_PATH:
        body.raw(_PATHS)
    if (rest := body.rest(DIALECT)) is not None:
        kept = {**rest.fields, **kept}
    return ChatRequest(
        model="",
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=None if own.single is None else not own.single,
        sampling=sampling,
        max_output=max_output,
        reasoning=own.reasoning,
        output=output,
        end_user=user,
        extra=Extra(DIALECT, kept) if kept else None,
    )


def _keep(left: Fields, name: str, kept: dict[str, Raw]) -> None:
    rest = left.rest(DIALECT)
    if rest is not None:
        kept[name] = json.raw(rest.fields)


def _read_output(body: Fields, kept: dict[str, Raw]) -> tuple[str | None, OutputFormat | None]:
    """Effort and format. A format that is not known is kept with the rest."""
    config = body.fields("outputConfig")
    if config is None:
        return None, None
    effort, asked = config.text("effort"), config.look("textFormat")
    output = None if asked is None else read_format(asked, config.at("textFormat"))
    if output is not None:
        config.raw("textFormat")
    _keep(config, "outputConfig", kept)
    return effort, output


def _read_own(body: Fields, effort: str | None, kept: dict[str, Raw]) -> _Own:
    whole = body.raw(_MODEL_FIELDS)
    if whole is None or whole == _EMPTY or memoryview(whole)[0] != ord("{"):
        if whole is not None and whole != _EMPTY:
            kept[_MODEL_FIELDS] = whole
        return _Own(reasoning=None if effort is None else ReasoningOptions(effort=effort))
    fields = Fields(whole, _MODEL_FIELDS)
    reasoning = _read_reasoning(fields, effort)
    top_k = fields.integer("top_k")
    if top_k is None and (config := _claim(fields, "inferenceConfig", {"topK"})) is not None:
        top_k = config.integer("topK")
    choice = _claim(fields, "tool_choice", {"type", "name", "disable_parallel_tool_use"})
    single = None if choice is None else choice.flag("disable_parallel_tool_use")
    _keep(fields, _MODEL_FIELDS, kept)
    return _Own(top_k, single, reasoning)


def _claim(fields: Fields, name: str, known: set[str]) -> Fields | None:
    """The object of that name, where it holds nothing but what is known; else it stays where it is."""
    value = fields.look(name)
    if value is None or memoryview(value)[0] != ord("{") or not known.issuperset(json.read_fields(value)):
        return None
    fields.raw(name)
    return Fields(value, fields.at(name))


def _read_reasoning(fields: Fields, effort: str | None) -> ReasoningOptions | None:
    """In the words of whichever maker. A kind of thinking that is not known stays with the rest."""
    if (older := _claim(fields, "output_config", {"effort"})) is not None:
        effort = effort or older.text("effort")
    if (named := fields.text("reasoning_effort")) is not None:
        effort = effort or named
    if _kind(fields, "thinking") in MODES and (told := fields.fields("thinking")) is not None:
        return read_thinking(told, effort)
    if (config := _claim(fields, "reasoningConfig", {"type", "maxReasoningEffort"})) is not None:
        return read_config(config)
    return None if effort is None else ReasoningOptions(effort=effort)


def _kind(fields: Fields, name: str) -> str | None:
    value = fields.look(name)
    return None if value is None else Fields(value, fields.at(name)).text("type")


def _read_user(body: Fields, kept: dict[str, Raw]) -> str | None:
    metadata = body.fields("requestMetadata")
    if metadata is None:
        return None
    user = metadata.text("user_id")
    _keep(metadata, "requestMetadata", kept)
    return user


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The same request gives the same bytes, so that the provider's cache holds. Raises INVALID for one without words.

    Neither the model nor whether to stream is written: both stand in the path.
    """
    pen = Pen(profile, losses)
    system, turns = write_turns(request.messages, pen)
    asked, words = write_format(request.output, pen)
    if words is not None:
        system = [*system, words]
    max_tokens, plan = fit_output(request, plan_reasoning(request, turns, pen), pen)
    chosen, own = write_sampling(request.sampling, pen, thinking=plan.on)
    tools = write_tools(request, asks_for_tools(turns), pen)
    own = {**write_thinking(request.reasoning, plan, pen), **own, **_write_parallel(request, tools, pen)}
    body: Block = {"messages": [turn.body() for turn in turns]}
    if system:
        body["system"] = system
    body["inferenceConfig"] = chosen if max_tokens is None else {"maxTokens": max_tokens, **chosen}
    body["toolConfig"] = tools
    body["outputConfig"] = {"effort": plan.effort, "textFormat": asked}
    body[_MODEL_FIELDS] = own
    body["requestMetadata"] = {"user_id": _write_user(request.end_user, pen)}
    if profile.maker == CLAUDE and request.sampling.stop:
        body[_PATHS] = _STOP_PATH
    return json.encode(_with_extra(body, request.extra, losses))


def _write_parallel(request: ChatRequest, tools: Block, pen: Pen) -> Block:
    """Several calls at once are every model's default, so only their being forbidden needs words, which Claude has.

    `tools` is what is written of them: a choice beside none, or of one that is not there, is refused.
    """
    if request.parallel_tools is not False or not request.tools or not tools:
        return {}
    if pen.profile.maker != CLAUDE or not pen.profile.parallel_tools:
        pen.losses.drop("parallel_tools", "this model cannot be told whether to call several tools at once")
        return {}
    choice = request.tool_choice if "toolChoice" in tools else None
    word = "auto" if choice is None else {"required": "any", "named": "tool"}.get(choice.mode, "auto")
    told: Block = {"type": word, "disable_parallel_tool_use": True}
    if choice is not None and choice.name is not None:
        told["name"] = choice.name
    return {"tool_choice": told}


def _write_user(user: str | None, pen: Pen) -> str | None:
    """It is told for the provider's log, which takes few characters: else a digest stands in."""
    if not user or _USER.fullmatch(user):
        return user or None
    pen.losses.rewrite("end_user", "the provider takes no such name: it is told a digest")
    return "user_" + hashlib.sha256(user.encode()).hexdigest()[:32]


def _with_extra(body: Block, extra: Extra | None, losses: Losses) -> Block:
    """What only this dialect knows joins what the core said under the same name; objects without a field are left out.

    `messages` and `system` are lists and never empty.
    """
    if extra is not None and extra.dialect != DIALECT:
        losses.drop_extra(extra, "")
        extra = None
    kept: Mapping[str, Raw] = extra.fields if extra is not None else {}
    whole: Block = {}
    for name, said in body.items():
        value = {**_without_nones(said), **_fields_of(kept.get(name))} if isinstance(said, dict) else said
        if value:
            whole[name] = value
    return {**whole, **{name: value for name, value in kept.items() if name not in whole}}


def _without_nones(fields: Block) -> Block:
    return {name: value for name, value in fields.items() if value is not None}


def _fields_of(value: Raw | None) -> Mapping[str, Raw]:
    if value is None or memoryview(value)[0] != ord("{"):
        return {}
    return json.read_fields(value)
