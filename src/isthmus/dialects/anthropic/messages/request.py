"""A request of `POST /v1/messages`: peeked at, read and written.

What the core has no word for (`service_tier`, `container`, `context_management`, `mcp_servers`...)
is kept in the request's extra, under its own name. A `thread` is refused: whoever reads a request
means it for another provider, which does not hold what was said before.

Source: https://docs.anthropic.com/en/api/messages.
"""

import hashlib
from collections.abc import Mapping

from msgspec import UNSET, Raw, Struct, UnsetType

from isthmus.core.chat import ChatRequest, OutputFormat, ReasoningOptions, Sampling, ToolChoice
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.anthropic.errors import NO_THREADS
from isthmus.dialects.anthropic.messages import plain
from isthmus.dialects.anthropic.messages.content import MARK, plain_text
from isthmus.dialects.anthropic.messages.marks import Block
from isthmus.dialects.anthropic.messages.output import read_format, write_format
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.dialects.anthropic.messages.sampling import read_sampling, write_sampling
from isthmus.dialects.anthropic.messages.thinking import (
    THINKING_MODES,
    fit_output,
    is_known,
    plan_reasoning,
    read_reasoning,
    write_thinking,
)
from isthmus.dialects.anthropic.messages.tools import CHOICE_MODES, read_choice, read_tools, write_choice, write_tools
from isthmus.dialects.anthropic.messages.turns import led_by, read_messages, write_turns
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.dialects.codec import Peek
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

_UNSAID = Sampling()
LONGEST_USER = 256
"""Characters of `metadata.user_id` that the provider takes."""


class _Turn(Struct, gc=False):
    role: str | None = None
    content: Raw = json.NULL


class _Glance(Struct):
    """Just enough of a request to route it."""

    model: str
    messages: list[_Turn]
    stream: bool | None = None
    max_tokens: int | UnsetType | None = None


_glance = json.decoder(_Glance)


_MARKED = b'"' + MARK.encode()


def peek(body: bytes) -> Peek:
    """Model, stream flag, and whether a signature of our own making stands in it. Raises INVALID, naming the field."""
    try:
        seen = _glance(body)
    except DECODE_ERRORS:
        seen = _look_closely(body)
    if not seen.model:
        raise GatewayError(Kind.INVALID, "model must not be empty", param="model")
    if not seen.messages:
        raise GatewayError(Kind.INVALID, "messages must hold at least one message", param="messages")
    answers = b"".join([turn.content for turn in seen.messages if turn.role == "assistant"])
    return Peek(seen.model, seen.stream or False, marked=_MARKED in answers, bound=seen.max_tokens)


def _look_closely(body: bytes) -> _Glance:
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model"))
        messages = json.read_items(fields.need("messages", fields.raw("messages")), "messages")
        return _Glance(model, [_Turn()] * len(messages), fields.flag("stream"), UNSET)
    except Malformed as error:
        raise _invalid(error) from error


def _invalid(error: Malformed) -> GatewayError:
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)


def read_request(body: bytes) -> ChatRequest:
    """Raises INVALID, naming the field at fault, and UNSUPPORTED for a conversation that the provider is to keep."""
    if (known := _read_plain(body)) is not None:
        return known
    try:
        fields = json.document(body)
        if fields.raw("thread") is not None:
            raise GatewayError(
                Kind.UNSUPPORTED,
                "the provider keeps no conversations: send the whole of it, without thread",
                param="thread",
                code=NO_THREADS,
            )
        return _read(fields)
    except Malformed as error:
        raise _invalid(error) from error


def _read_plain(body: bytes) -> ChatRequest | None:
    said = plain.decode_request(body)
    if said is None:
        return None
    try:
        turns = led_by(plain.asked(said.system), tuple(map(plain.turn_of, said.messages)))
    except DECODE_ERRORS:
        return None
    choice = said.tool_choice
    single = None if choice is None else choice.disable_parallel_tool_use
    return ChatRequest(
        model=said.model,
        messages=turns,
        tools=None if said.tools is None else tuple(map(plain.tool_of, said.tools)),
        tool_choice=None if choice is None else ToolChoice(CHOICE_MODES[choice.type]),
        parallel_tools=None if single is None else not single,
        sampling=Sampling(said.temperature, said.top_p, said.top_k, stop=said.stop_sequences or None),
        max_output=said.max_tokens,
        reasoning=_plain_reasoning(said),
        stream=said.stream or False,
        end_user=None if said.metadata is None else said.metadata.user_id,
    )


def _plain_reasoning(said: plain.PlainRequest) -> ReasoningOptions | None:
    effort = None if said.output_config is None else said.output_config.effort
    thinking = said.thinking
    if thinking is None:
        return read_reasoning(None, effort)
    return ReasoningOptions(THINKING_MODES[thinking.type], effort, thinking.budget_tokens, thinking.display)


def _read(body: Fields) -> ChatRequest:
    kept: dict[str, Raw] = {}
    effort, output = _read_config(body, kept)
    choice, parallel = read_choice(body)
    model, messages, tools = body.need("model", body.text("model")), read_messages(body), read_tools(body)
    sampling, max_output, stream = read_sampling(body), body.integer("max_tokens"), body.flag("stream")
    reasoning = _read_thinking(body, effort, kept)
    end_user = _read_user(body, kept)
    if (rest := body.rest(DIALECT)) is not None:
        kept = {**rest.fields, **kept}
    return ChatRequest(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        sampling=sampling,
        max_output=max_output,
        reasoning=reasoning,
        output=output,
        stream=stream or False,
        end_user=end_user,
        extra=Extra(DIALECT, kept) if kept else None,
    )


def _read_config(body: Fields, kept: dict[str, Raw]) -> tuple[str | None, OutputFormat | None]:
    """Effort and format, from `output_config` or the older `output_format`."""
    effort, output = None, None
    config = body.fields("output_config")
    if config is not None:
        effort = config.text("effort")
        wanted = config.raw("format")
        output = None if wanted is None else read_format(wanted, config.at("format"))
        left = config.rest(DIALECT)
        fields = dict(left.fields) if left else {}
        if wanted is not None and output is None:
            fields["format"] = wanted
        if fields:
            kept["output_config"] = json.raw(fields)
    older = body.raw("output_format")
    if older is not None and output is None:
        output = read_format(older, "output_format")
        if output is None:
            kept["output_format"] = older
    return effort, output


def _read_thinking(body: Fields, effort: str | None, kept: dict[str, Raw]) -> ReasoningOptions | None:
    """A kind of thinking that is not known yet is kept whole."""
    value = body.raw("thinking")
    if value is None:
        return read_reasoning(None, effort)
    if not is_known(Fields(value, "thinking").text("type")):
        kept["thinking"] = value
        return read_reasoning(None, effort)
    return read_reasoning(Fields(value, "thinking"), effort)


def _read_user(body: Fields, kept: dict[str, Raw]) -> str | None:
    metadata = body.fields("metadata")
    if metadata is None:
        return None
    user = metadata.text("user_id")
    if (left := metadata.rest(DIALECT)) is not None:
        kept["metadata"] = json.raw(left.fields)
    return user


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The same request gives the same bytes, so that the provider's cache holds. Raises INVALID for one without words.

    `stream` and an empty list of tools are left out where they say what their absence says.
    """
    pen = Pen(profile, losses)
    system, turns = write_turns(request.messages, pen)
    asked, words = write_format(request.output, pen)
    if words is not None:
        system = [*system, words]
    max_tokens, plan = fit_output(request, plan_reasoning(request, turns, pen), pen)
    body: Block = {"model": request.model, "max_tokens": max_tokens}
    if system:
        text = plain_text(system)
        body["system"] = system if text is None else text
    body["messages"] = [turn.body() for turn in turns]
    _write_tools(body, request, pen)
    thinking = write_thinking(request.reasoning, plan, pen)
    if thinking is not None:
        body["thinking"] = thinking
    if request.sampling != _UNSAID:
        body.update(write_sampling(request.sampling, pen, thinking=plan.on))
    _write_extra(body, request, pen, {"effort": plan.effort, "format": asked})
    if request.stream:
        body["stream"] = True
    return json.encode(body)


def _write_tools(body: Block, request: ChatRequest, pen: Pen) -> None:
    tools = write_tools(request, pen)
    if not tools:
        return
    body["tools"] = tools
    choice = write_choice(request, pen)
    if choice is not None:
        body["tool_choice"] = choice


def _write_extra(body: Block, request: ChatRequest, pen: Pen, config: Mapping[str, object]) -> None:
    """What only this dialect knows, with the fields of it that the core does know put back."""
    extra = request.extra
    if extra is not None and extra.dialect != DIALECT:
        pen.losses.drop_extra(extra, "")
        extra = None
    kept = dict(extra.fields) if extra is not None else {}
    _put_back(body, "output_config", kept, config)
    if request.end_user is not None or "metadata" in kept:
        _put_back(body, "metadata", kept, {"user_id": _write_user(request.end_user, pen)})
    body.update(kept)


def _put_back(body: Block, name: str, kept: dict[str, Raw], known: Mapping[str, object]) -> None:
    left = kept.pop(name, None)
    fields = {} if left is None else json.read_fields(left)
    whole = {key: value for key, value in known.items() if value is not None}
    whole.update(fields)
    if whole:
        body[name] = whole


def _write_user(user: str | None, pen: Pen) -> str | None:
    """The provider refuses a name that shows who it is, and one that is too long: then it is told a digest."""
    if not user or ("@" not in user and len(user) <= LONGEST_USER):
        return user or None
    pen.losses.rewrite("end_user", "the provider takes no address and no long name: it is told a digest")
    return "user_" + hashlib.sha256(user.encode()).hexdigest()[:32]
