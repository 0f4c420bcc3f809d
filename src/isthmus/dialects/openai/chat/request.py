"""One request to POST /v1/chat/completions, read and written.

Source: the OpenAI API reference, "Create chat completion".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import (
    ChatRequest,
    Message,
    OutputFormat,
    OutputKind,
    ReasoningOptions,
    Role,
    Sampling,
    ToolChoice,
    ToolMode,
)
from isthmus.core.content import Text
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle
from isthmus.core.value import Extra
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat import plain
from isthmus.dialects.openai.chat.calls import read_choice, read_tools, write_choice, write_tools
from isthmus.dialects.openai.chat.content import Host
from isthmus.dialects.openai.chat.effort import read_reasoning, write_reasoning
from isthmus.dialects.openai.chat.extras import SAID, fields_of, restore
from isthmus.dialects.openai.chat.messages import gathered, path_of, read_messages, whole_message, write_messages
from isthmus.dialects.openai.chat.peek import invalid
from isthmus.dialects.openai.efforts import is_on
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


def read_request(body: bytes) -> ChatRequest:
    """The request in `body`. Raises INVALID, naming the field at fault."""
    try:
        return _read_plain(body) or _read(json.document(body))
    except Malformed as error:
        raise invalid(error) from error


def _read_plain(body: bytes) -> ChatRequest | None:
    said = plain.decode_request(body)
    if said is None:
        return None
    shorter, longer, effort = said.max_tokens, said.max_completion_tokens, said.reasoning_effort
    return ChatRequest(
        model=said.model,
        messages=gathered(map(plain.message_of, said.messages)),
        tools=None if said.tools is None else tuple(map(plain.tool_of, said.tools)),
        tool_choice=None if said.tool_choice is None else ToolChoice(ToolMode(said.tool_choice)),
        parallel_tools=said.parallel_tool_calls,
        sampling=_plain_sampling(said),
        max_output=shorter if longer is None else longer,
        reasoning=None if effort is None else ReasoningOptions(effort=effort),
        stream=bool(said.stream),
        end_user=said.user,
    )


def _plain_sampling(said: plain.PlainRequest) -> Sampling:
    return Sampling(
        said.temperature,
        said.top_p,
        said.top_k,
        said.frequency_penalty,
        said.presence_penalty,
        said.seed,
        (said.stop,) if isinstance(said.stop, str) else said.stop,
        said.n,
        said.logprobs,
        said.top_logprobs,
    )


def _read(fields: Fields) -> ChatRequest:
    model = fields.need("model", fields.text("model"))
    messages = json.read_items(fields.need("messages", fields.raw("messages")), "messages")
    if not messages:
        raise Malformed("messages must not be empty", "messages")
    turns = read_messages(messages)
    tools = _items(fields, "tools")
    tool_choice, choice_left = read_choice(fields)
    parallel = fields.flag("parallel_tool_calls")
    sampling = _read_sampling(fields)
    shorter = fields.integer("max_tokens")
    longer = fields.integer("max_completion_tokens")
    reasoning, thinking_left = read_reasoning(fields)
    output, format_left = _read_output(fields)
    stream, stream_left = fields.flag("stream"), _read_stream_options(fields)
    end_user, user_left = _read_end_user(fields)
    left = {**choice_left, **thinking_left, **format_left, **stream_left, **user_left, **fields_of(fields.rest(CHAT))}
    return ChatRequest(
        model=model,
        messages=turns,
        tools=read_tools(tools, "tools"),
        tool_choice=tool_choice,
        parallel_tools=parallel,
        sampling=sampling,
        max_output=shorter if longer is None else longer,
        reasoning=reasoning,
        output=output,
        stream=bool(stream),
        end_user=end_user,
        extra=Extra(CHAT, left) if left else None,
    )


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a model that is as `profile` says. What it cannot be told is noted in `losses`."""
    host = Host(profile, losses)
    left = fields_of(request.extra)
    output, words = _write_output(request.output, host)
    document: dict[str, Any] = {
        "model": request.model,
        "messages": write_messages(_arranged(request.messages, words, host), host),
    }
    if tools := write_tools(request.tools or (), losses):
        document["tools"] = tools
        document.update(_write_tool_use(request, host))
    if request.sampling != _UNSAID:
        document.update(_write_sampling(request, host))
    document.update(_write_max_output(request.max_output, host))
    if request.reasoning is not None:
        document.update(write_reasoning(request.reasoning, left, host))
    document.update(output)
    if request.end_user is not None:
        document.update(_write_end_user(request.end_user, left))
    if request.stream:
        document["stream"] = True
        more = json.read_fields(left["stream_options"]) if "stream_options" in left else {}
        document["stream_options"] = {"include_usage": True, **more}
    restore(document, _fitting(request, tools), "", losses)
    return json.encode(document)


def _items(fields: Fields, name: str) -> list[Raw] | None:
    value = fields.raw(name)
    return None if value is None else json.read_items(value, fields.at(name))


def _fitting(request: ChatRequest, tools: Sequence[object]) -> Extra | None:
    """The request's leftovers, without what a provider refuses: a choice without tools, options without a stream."""
    extra = request.extra
    if extra is None or extra.dialect != CHAT:
        return extra
    unfit = {"stream_options"} | (set() if tools else {"tool_choice"})
    return Extra(CHAT, {name: value for name, value in extra.fields.items() if name not in unfit})


def _write_tool_use(request: ChatRequest, host: Host) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if request.tool_choice is not None and "tool_choice" not in fields_of(request.extra):
        document["tool_choice"] = write_choice(request.tool_choice)
    if request.parallel_tools is not None:
        if host.profile.parallel_tools:
            document["parallel_tool_calls"] = request.parallel_tools
        elif request.parallel_tools:
            host.losses.drop("parallel_tools", "this model calls one tool at a time")
    return document


def _read_sampling(fields: Fields) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=_read_stop(fields),
        n=fields.integer("n"),
        logprobs=fields.flag("logprobs"),
        top_logprobs=fields.integer("top_logprobs"),
    )


def _read_stop(fields: Fields) -> tuple[str, ...] | None:
    value = fields.look("stop")
    if value is not None and json.is_text(value):
        fields.raw("stop")
        return (json.decode(value),)
    return fields.texts("stop")


_NO_REASONING = ReasoningStyle.NONE
_UNSAID = Sampling()
_STEERING = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs")
"""What models refuse that take no sampling, or none while they think."""
_PLAIN = ("seed", "n")


def _write_sampling(request: ChatRequest, host: Host) -> dict[str, Any]:
    sampling, (profile, losses) = request.sampling, host
    document: dict[str, Any] = {}
    thinks = profile.reasoning is not _NO_REASONING and is_on(request.reasoning)
    refuses = not profile.sampling or (thinks and not profile.sampling_while_reasoning)
    for name in (*_STEERING, *_PLAIN):
        value = getattr(sampling, name)
        if value is None:
            continue
        if refuses and name in _STEERING:
            losses.drop(f"sampling.{name}", "this model takes no sampling" + (" while it thinks" if thinks else ""))
        else:
            document[name] = value
    if document.get("temperature", 0.0) > profile.max_temperature:
        losses.rewrite("sampling.temperature", f"this model takes at most {profile.max_temperature}")
        document["temperature"] = profile.max_temperature
    if sampling.top_k is not None:
        losses.drop("sampling.top_k", "this dialect has no top_k")
    if sampling.stop is not None:
        document["stop"] = sampling.stop
    return document


def _write_max_output(wanted: int | None, host: Host) -> dict[str, int]:
    profile = host.profile
    if wanted is None:
        return {profile.max_output_field: profile.default_max_output} if profile.requires_max_output else {}
    if profile.max_output_limit is not None and wanted > profile.max_output_limit:
        host.losses.rewrite("max_output", f"this model writes at most {profile.max_output_limit} tokens")
        wanted = profile.max_output_limit
    return {profile.max_output_field: wanted}


def _read_stream_options(fields: Fields) -> dict[str, Raw]:
    options = fields.fields("stream_options")
    if options is None:
        return {}
    options.flag("include_usage")
    left = fields_of(options.rest(CHAT))
    return {"stream_options": json.raw(left)} if left else {}


def _read_end_user(fields: Fields) -> tuple[str | None, dict[str, Raw]]:
    """`user`, else `safety_identifier`, which took its place and is kept where the two differ."""
    user, spelled = fields.text("user"), fields.raw("safety_identifier")
    if spelled is None or not json.is_text(spelled):
        return user, {}
    identifier = str(json.decode(spelled))
    if user is None or user == identifier:
        return identifier, {"safety_identifier": SAID}
    return user, {"safety_identifier": spelled}


def _write_end_user(end_user: str, left: Mapping[str, Raw]) -> dict[str, str]:
    return {"safety_identifier" if left.get("safety_identifier") == SAID else "user": end_user}


def _read_output(fields: Fields) -> tuple[OutputFormat | None, dict[str, Raw]]:
    """`response_format`, or the field itself where it is of a type that we do not know."""
    value = fields.raw("response_format")
    if value is None:
        return None, {}
    wanted = Fields(value, fields.at("response_format"))
    match wanted.text("type"):
        case "text":
            return OutputFormat(OutputKind.TEXT), {}
        case "json_object":
            return OutputFormat(OutputKind.JSON), {}
        case "json_schema":
            return _read_schema(wanted), {}
    return None, {"response_format": value}


def _read_schema(wanted: Fields) -> OutputFormat:
    inner = wanted.need("json_schema", wanted.fields("json_schema"))
    return OutputFormat(
        OutputKind.SCHEMA,
        name=inner.text("name"),
        about=inner.text("description"),
        schema=inner.raw("schema"),
        strict=inner.flag("strict"),
    )


def _write_output(output: OutputFormat | None, host: Host) -> tuple[dict[str, Any], str | None]:
    """`response_format`, and the words that make up for what the model cannot be held to."""
    if output is None:
        return {}, None
    return _OUTPUTS[output.kind](output, host)


def _write_text(_output: OutputFormat, host: Host) -> tuple[dict[str, Any], str | None]:
    return ({} if host.profile.schema is SchemaStyle.NONE else {"response_format": {"type": "text"}}), None


def _write_json(_output: OutputFormat, host: Host) -> tuple[dict[str, Any], str | None]:
    if host.profile.schema is SchemaStyle.NONE:
        host.losses.emulate("output", "this model is asked for JSON in words")
        return {}, "Answer with one JSON object and nothing else."
    return {"response_format": {"type": "json_object"}}, None


def _write_schema(output: OutputFormat, host: Host) -> tuple[dict[str, Any], str | None]:
    if host.profile.schema is SchemaStyle.NATIVE:
        inner: dict[str, Any] = {"name": output.name or "answer", "description": output.about}
        inner.update(schema=output.schema, strict=output.strict)
        told = {name: value for name, value in inner.items() if value is not None}
        return {"response_format": {"type": "json_schema", "json_schema": told}}, None
    document, _ = _write_json(output, Host(host.profile, Losses()))
    host.losses.emulate("output.schema", "this model is asked in words to follow the schema")
    words = "Answer with one JSON object and nothing else."
    if output.schema is not None:
        words += f" It must be valid against this JSON schema:\n{bytes(output.schema).decode()}"
    return document, words


_OUTPUTS: dict[OutputKind, Callable[[OutputFormat, Host], tuple[dict[str, Any], str | None]]] = {
    OutputKind.TEXT: _write_text,
    OutputKind.JSON: _write_json,
    OutputKind.SCHEMA: _write_schema,
}


def _arranged(messages: Sequence[Message], words: str | None, host: Host) -> Iterable[tuple[int | None, Message]]:
    """The turns with their numbers: `words` join the system text, which is moved in front where it must stand there."""
    if words is None and host.profile.system_in_place:
        return enumerate(messages)
    turns: list[tuple[int | None, Message]] = list(enumerate(messages))
    lead = next((n for n, message in enumerate(messages) if not _is_system(message)), len(turns))
    if words is not None:
        turns.insert(lead, (None, Message(Role.SYSTEM, (Text(words),))))
        lead += 1
    if host.profile.system_in_place:
        return turns
    system = [(number, turn) for number, turn in turns if _is_system(turn)]
    if len(system) <= 1 and lead == len(system):
        return turns
    for number, _ in system[lead:]:
        host.losses.rewrite(path_of(number), "this host takes system text in front only")
    parts = tuple(part for _, turn in system for part in turn.parts)
    rest = [(number, turn) for number, turn in turns if not _is_system(turn)]
    return [(system[0][0], Message(Role.SYSTEM, parts)), *rest]


def _is_system(message: Message) -> bool:
    return message.role in (Role.SYSTEM, Role.DEVELOPER) and whole_message(message) is None
