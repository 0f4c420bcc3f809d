"""One request to POST /v1/responses, read and written.

Source: the OpenAI API reference, "Create a model response".
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling, ToolEntry
from isthmus.core.content import Text, only_text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile, ReasoningStyle
from isthmus.core.value import Extra
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.efforts import is_on
from isthmus.dialects.openai.responses.additional import AdditionalTools, lift, split_off
from isthmus.dialects.openai.responses.content import Host
from isthmus.dialects.openai.responses.effort import read_reasoning, write_reasoning
from isthmus.dialects.openai.responses.extras import fields_of, is_ours, labels_of
from isthmus.dialects.openai.responses.names import names_in
from isthmus.dialects.openai.responses.output import TEXT_DOT, read_output, write_output
from isthmus.dialects.openai.responses.peek import INSTEAD, invalid, need_input
from isthmus.dialects.openai.responses.tools import read_choice, read_tools, write_choice, write_tools
from isthmus.dialects.openai.responses.turns import read_turns, write_turns
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

SEALED, LOGPROBS = "reasoning.encrypted_content", "message.output_text.logprobs"
"""What may be asked for in `include` that the core understands."""


def read_request(body: bytes) -> ChatRequest:
    """The request in `body`. Raises INVALID, naming the field at fault."""
    try:
        return _read(json.document(body))
    except Malformed as error:
        raise invalid(error) from error


def _read(fields: Fields) -> ChatRequest:
    model = fields.need("model", fields.text("model"))
    labels: dict[str, Raw] = {}
    turns, added = _read_input(fields, labels)
    tools = _read_tools(fields, added)
    tool_choice, left = read_choice(fields)
    include = _read_include(fields, labels, left)
    output, said = read_output(fields)
    end_user = _read_end_user(fields, labels, left)
    if (store := fields.raw("store")) is not None:
        labels["store"] = store
    return ChatRequest(
        model=model,
        messages=turns,
        tools=tools,
        tool_choice=tool_choice,
        parallel_tools=fields.flag("parallel_tool_calls"),
        sampling=_read_sampling(fields, include),
        max_output=fields.integer("max_output_tokens"),
        reasoning=read_reasoning(fields),
        output=output,
        stream=bool(fields.flag("stream")),
        end_user=end_user,
        extra=Extra(RESPONSES, {**left, **said, **fields_of(fields.rest(RESPONSES))}, labels),
    )


def _read_input(fields: Fields, labels: dict[str, Raw]) -> tuple[tuple[Message, ...], tuple[ToolEntry, ...]]:
    """The turns, with the instructions in front, and the tools that stand among the items."""
    if (said := fields.look("instructions")) == Raw(b'""'):
        labels["instructions"] = said
    instructions, value = fields.text("instructions"), need_input(fields)
    before = (Message(Role.SYSTEM, (Text(instructions),)),) if instructions else ()
    if value is None:
        return before, ()
    if json.is_text(value):
        return (*before, Message(Role.USER, (Text(json.decode(value)),))), ()
    items, added = split_off(json.read_items(value, "input"))
    if added.items:
        labels["additional_tools"] = json.raw(added.items)
    return (*before, *read_turns(items)), lift(added)


def _read_tools(fields: Fields, added: tuple[ToolEntry, ...]) -> tuple[ToolEntry, ...] | None:
    value = fields.raw("tools")
    if value is None:
        return added or None
    return (*read_tools(json.read_items(value, "tools"), "tools"), *added)


def _read_include(fields: Fields, labels: dict[str, Raw], left: dict[str, Raw]) -> tuple[str, ...]:
    """What is asked for beside the answer. A list of nothing but what the core understands is only a label."""
    value = fields.look("include")
    include = fields.texts("include") or ()
    if value is not None:
        known = all(name in (SEALED, LOGPROBS) for name in include)
        (labels if known else left)["include"] = value
    return include


def _read_sampling(fields: Fields, include: Sequence[str]) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=True if LOGPROBS in include else None,
        top_logprobs=fields.integer("top_logprobs"),
    )


def _read_end_user(fields: Fields, labels: dict[str, Raw], left: dict[str, Raw]) -> str | None:
    """`user`, else `safety_identifier`, which took its place and is kept where the two differ."""
    user, spelled = fields.text("user"), fields.raw("safety_identifier")
    if spelled is None or not json.is_text(spelled):
        return user
    identifier = str(json.decode(spelled))
    (labels if user in (None, identifier) else left)["safety_identifier"] = spelled
    return identifier if user is None else user


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a model that is as `profile` says. What it cannot be told is noted in `losses`."""
    return json.encode(build(request, profile, losses))


def build(request: ChatRequest, profile: ModelProfile, losses: Losses) -> dict[str, Any]:
    """The same as a document."""
    host = Host(profile, losses)
    text, words = write_output(request.output, request.extra, host)
    instructions, turns = _split_instructions(request.messages, words)
    names = names_in(request.tools or ())
    items = write_turns(turns, names, host)
    if not items and not any(name in fields_of(request.extra) for name in INSTEAD):
        raise GatewayError(Kind.INVALID, "nothing in this conversation can be told to this provider", param="input")
    added = AdditionalTools.of(request)
    document: dict[str, Any] = {"model": request.model}
    if (told := instructions or labels_of(request.extra).get("instructions")) is not None:
        document["instructions"] = told
    document["input"] = items if added is None else added.put_back(items)
    tools = write_tools(added.others(request) if added is not None else request.tools or (), losses)
    if tools:
        document["tools"] = tools
    if tools or added is not None:
        document.update(_write_tool_use(request, host))
    document.update(_write_sampling(request, host))
    document.update(_write_max_output(request, host))
    document.update(write_reasoning(request.reasoning, host))
    document.update(text)
    document.update(_write_rest(request, host))
    return document


def _split_instructions(messages: Sequence[Message], words: str | None) -> tuple[str | None, list[tuple[str, Message]]]:
    """A first system turn that is one text, and was no item, stands apart from the others; `words` join it."""
    turns = [(f"messages[{number}]", message) for number, message in enumerate(messages)]
    said = None
    if len(messages) > 1 and messages[0].role is Role.SYSTEM and messages[0].name is None:
        said = only_text(messages[0].parts)
    if said is not None:
        turns = turns[1:]
    told = [one for one in (said, words) if one]
    return ("\n\n".join(told) if told else said or None), turns


def _write_tool_use(request: ChatRequest, host: Host) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if request.tool_choice is not None and "tool_choice" not in fields_of(request.extra):
        document["tool_choice"] = write_choice(request.tool_choice, names_in(request.tools or ()))
    if request.parallel_tools is not None:
        if host.profile.parallel_tools:
            document["parallel_tool_calls"] = request.parallel_tools
        elif request.parallel_tools:
            host.losses.drop("parallel_tools", "this model calls one tool at a time")
    return document


_STEERING = ("temperature", "top_p", "top_logprobs")
"""What models refuse that take no sampling, or none while they think."""
_UNKNOWN = ("top_k", "frequency_penalty", "presence_penalty", "seed", "n")


def _write_sampling(request: ChatRequest, host: Host) -> dict[str, Any]:
    sampling, (profile, losses) = request.sampling, host
    document: dict[str, Any] = {}
    thinks = profile.reasoning is not ReasoningStyle.NONE and is_on(request.reasoning)
    refuses = not profile.sampling or (thinks and not profile.sampling_while_reasoning)
    for name in _STEERING:
        value = getattr(sampling, name)
        if value is None:
            continue
        if refuses:
            losses.drop(f"sampling.{name}", "this model takes no sampling" + (" while it thinks" if thinks else ""))
        else:
            document[name] = value
    if document.get("temperature", 0.0) > profile.max_temperature:
        losses.rewrite("sampling.temperature", f"this model takes at most {profile.max_temperature}")
        document["temperature"] = profile.max_temperature
    for name in _UNKNOWN:
        if (value := getattr(sampling, name)) is not None and (name, value) != ("n", 1):
            losses.drop(f"sampling.{name}", f"this dialect has no {name}")
    if sampling.stop:
        losses.drop("sampling.stop", "this dialect has no stop sequences")
    return document


LEAST_OUTPUT = 16
"""Tokens; OpenAI refuses to be asked for fewer."""


def _write_max_output(request: ChatRequest, host: Host) -> dict[str, int]:
    wanted, profile = request.max_output, host.profile
    if wanted is None:
        return {"max_output_tokens": profile.default_max_output} if profile.requires_max_output else {}
    if profile.max_output_limit is not None and wanted > profile.max_output_limit:
        host.losses.rewrite("max_output", f"this model writes at most {profile.max_output_limit} tokens")
        wanted = profile.max_output_limit
    if wanted < LEAST_OUTPUT and not is_ours(request.extra):
        host.losses.rewrite("max_output", f"this dialect asks for at least {LEAST_OUTPUT} tokens")
        wanted = LEAST_OUTPUT
    return {"max_output_tokens": wanted}


def _write_rest(request: ChatRequest, host: Host) -> dict[str, Any]:
    """What is said besides. A caller of another dialect wants nothing kept by the provider, and proof of thoughts."""
    extra, labels = request.extra, labels_of(request.extra)
    document: dict[str, Any] = {}
    if not is_ours(extra):
        host.losses.drop_extra(extra, "")
        document["store"] = False
    elif "store" in labels:
        document["store"] = labels["store"]
    if (include := _include(request, host.profile)) is not None:
        document["include"] = include
    if request.end_user is not None:
        document["safety_identifier" if "safety_identifier" in labels else "user"] = request.end_user
    if request.stream:
        document["stream"] = True
    unfit = (TEXT_DOT,) if request.tools else (TEXT_DOT, "tool_choice")
    document.update({name: value for name, value in fields_of(extra).items() if not name.startswith(unfit)})
    return document


def _include(request: ChatRequest, profile: ModelProfile) -> Raw | list[str] | None:
    known = labels_of(request.extra).get("include") or fields_of(request.extra).get("include")
    if known is not None:
        return known
    wanted = []
    if not is_ours(request.extra) and profile.reasoning is not ReasoningStyle.NONE:
        wanted.append(SEALED)
    if request.sampling.logprobs:
        wanted.append(LOGPROBS)
    return wanted or None


def echo(request: ChatRequest) -> Extra:
    """What an answer repeats of its request; under the label `called`, how calls of its tools are to be told."""
    lead = tuple(turn for turn in request.messages[:1] if turn.role is Role.SYSTEM)
    said = build(replace(request, messages=(*lead, Message(Role.USER, ()))), ModelProfile(), Losses())
    told = {name: json.raw(value) for name, value in said.items() if name not in _NOT_REPEATED}
    called = {name: [one.name, one.namespace, one.custom] for name, one in names_in(request.tools or ()).items()}
    return Extra(RESPONSES, told, {"called": json.raw(called)})


_NOT_REPEATED = ("model", "input", "include", "stream", "stream_options", "client_metadata")
