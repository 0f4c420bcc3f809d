"""What OpenAI's chat completions refuse, and what a script may know of a request that they take.

Written from the published reference of `POST /v1/chat/completions` and the refusals people report of
it. `reasoning_content` and `reasoning_details` in the history are taken, as the compatible hosts take
them.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fakes.scripts import Conversation, digest
from fakes.wire import Refused, names, only

FIELDS = names(
    "messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens "
    "max_tokens metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_options prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier "
    "stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity "
    "web_search_options"
)
MESSAGE_FIELDS = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": names(
        "role content name refusal tool_calls function_call audio annotations reasoning_content reasoning_details"
    ),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
PART_KINDS = {
    "system": ("text",),
    "developer": ("text",),
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
    "tool": ("text",),
}
PART_FIELDS = {
    "text": frozenset({"type", "text"}),
    "refusal": frozenset({"type", "refusal"}),
    "image_url": frozenset({"type", "image_url"}),
    "input_audio": frozenset({"type", "input_audio"}),
    "file": frozenset({"type", "file"}),
}
FUNCTION_FIELDS = frozenset({"name", "description", "parameters", "strict"})
RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "n": (1, 128),
    "top_logprobs": (0, 20),
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
UNKNOWN = "Unknown parameter: '{path}'."


def judge(body: Mapping[str, Any], also: frozenset[str] = frozenset()) -> None:
    """Raises Refused for what would be answered with 400. `also` are fields that this host has added to OpenAI's."""
    only(body, FIELDS | also, "", "Unrecognized request argument supplied: {path}")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused("you must provide a model parameter", "model")
    _numbers(body)
    _together(body)
    _tools(body)
    _format(body)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused("Invalid 'messages': expected an array with minimum length 1", "messages")
    for index, message in enumerate(messages):
        _message(message, f"messages.[{index}]")
    _order(messages)


def _numbers(body: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(f"Invalid type for '{name}': expected a number.", name)
        if not low <= value <= high:
            raise Refused(f"Invalid '{name}': {value} is outside {low} to {high}.", name)


def _together(body: Mapping[str, Any]) -> None:
    """Fields that exclude or need one another."""
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise Refused(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens"
        )
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise Refused("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", "top_logprobs")
    stop = body.get("stop")
    if isinstance(stop, list) and not 1 <= len(stop) <= 4:
        raise Refused("Invalid 'stop': expected an array of 1 to 4 strings.", "stop")
    if body.get("reasoning_effort") not in (None, *EFFORTS):
        raise Refused(f"Invalid value for 'reasoning_effort': {body['reasoning_effort']!r}.", "reasoning_effort")
    if any(not isinstance(value, str) for value in (body.get("metadata") or {}).values()):
        raise Refused("Invalid type for 'metadata': values must be strings.", "metadata")


def _tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                raise Refused(f"'{name}' is only allowed when 'tools' are specified.", name)
        return
    if not isinstance(tools, list) or not tools:
        raise Refused("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools")
    names = [_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools)]
    choice = body.get("tool_choice")
    if isinstance(choice, str) and choice not in ("auto", "none", "required"):
        raise Refused(f"Invalid value for 'tool_choice': {choice!r}.", "tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function" and choice["function"]["name"] not in names:
        raise Refused("Tool choice names a function that is not among 'tools'.", "tool_choice")


def _tool(tool: Mapping[str, Any], where: str) -> str:
    only(tool, frozenset({"type", "function"}), where, UNKNOWN)
    if tool.get("type") != "function":
        raise Refused(f"Invalid value: {tool.get('type')!r}. Supported values are: 'function'.", f"{where}.type")
    function = tool["function"]
    only(function, FUNCTION_FIELDS, f"{where}.function", UNKNOWN)
    if not NAME.fullmatch(function.get("name") or ""):
        raise Refused(f"Invalid '{where}.function.name': does not match the pattern.", f"{where}.function.name")
    schema = function.get("parameters")
    if schema is not None and schema.get("type") != "object":
        raise Refused(f"Invalid schema for function {function['name']!r}: schema must be of type 'object'.", where)
    if function.get("strict") and schema is not None:
        strict(schema, f"function {function['name']!r}")
    return str(function["name"])


def _format(body: Mapping[str, Any]) -> None:
    wanted = body.get("response_format")
    if wanted is None or wanted.get("type") in ("text", "json_object"):
        return
    if wanted.get("type") != "json_schema":
        raise Refused("Invalid value for 'response_format.type'.", "response_format.type")
    named = wanted.get("json_schema")
    if not isinstance(named, dict) or not NAME.fullmatch(named.get("name") or ""):
        raise Refused("Missing required parameter: 'response_format.json_schema.name'.", "response_format.json_schema")
    only(named, frozenset({"name", "schema", "strict", "description"}), "response_format.json_schema", UNKNOWN)
    if named.get("strict"):
        strict(named.get("schema", {}), f"response_format {named['name']!r}")


def strict(schema: Any, owner: str) -> None:
    """Strict schemas close every object and require every property."""
    if isinstance(schema, list):
        for item in schema:
            strict(item, owner)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            raise Refused(
                f"Invalid schema for {owner}: 'additionalProperties' is required to be supplied and to be false."
            )
        if set(schema.get("properties", {})) != set(schema.get("required", ())):
            raise Refused(f"Invalid schema for {owner}: 'required' must include every key in properties.")
    for value in schema.values():
        strict(value, owner)


def _message(message: Mapping[str, Any], where: str) -> None:
    role = message.get("role")
    if role not in MESSAGE_FIELDS:
        raise Refused(f"Invalid value: {role!r}. Supported values are: {', '.join(MESSAGE_FIELDS)}.", f"{where}.role")
    only(message, MESSAGE_FIELDS[role], where, UNKNOWN)
    content = message.get("content")
    if content is None:
        if role != "assistant" or not (message.get("tool_calls") or message.get("refusal") or message.get("audio")):
            raise Refused(f"Invalid value for '{where}.content': expected a string, got null.", f"{where}.content")
    elif not isinstance(content, str):
        if not isinstance(content, list) or not content:
            raise Refused(f"Invalid '{where}.content': expected a string or a non-empty array.", f"{where}.content")
        for index, part in enumerate(content):
            _part(part, role, f"{where}.content[{index}]")
    if "tool_calls" in message:
        _calls(message["tool_calls"], where)


def _part(part: Mapping[str, Any], role: str, where: str) -> None:
    kind = part.get("type")
    if kind not in PART_KINDS[role]:
        raise Refused(f"Invalid value: {kind!r}. Supported values are: {', '.join(PART_KINDS[role])}.", where)
    only(part, PART_FIELDS[kind], where, UNKNOWN)
    if kind == "text" and not isinstance(part.get("text"), str):
        raise Refused(f"Invalid type for '{where}.text': expected a string.", where)
    if kind == "image_url":
        only(part["image_url"], frozenset({"url", "detail"}), where, UNKNOWN)
        url = part["image_url"].get("url", "")
        if not url.startswith(("https://", "http://")) and data_url(url) is None:
            raise Refused("Invalid image URL: it must be an http(s) or a base64 data URL.", where)
    if kind == "file":
        only(part["file"], frozenset({"file_data", "file_id", "filename"}), where, UNKNOWN)
        if "file_data" in part["file"] and (
            "filename" not in part["file"] or data_url(part["file"]["file_data"]) is None
        ):
            raise Refused("Invalid file data: a filename and a base64 data URL are needed.", where)


def data_url(url: str) -> tuple[str, bytes] | None:
    found = re.fullmatch(r"data:([a-z]+/[a-z0-9.+-]+);base64,(.+)", url, re.DOTALL)
    if found is None:
        return None
    try:
        return found[1], base64.b64decode(found[2], validate=True)
    except binascii.Error:
        return None


def _calls(calls: Any, where: str) -> None:
    if not isinstance(calls, list) or not calls:
        raise Refused(f"Invalid '{where}.tool_calls': empty array.", f"{where}.tool_calls")
    for call in calls:
        if not isinstance(call.get("id"), str) or not 1 <= len(call["id"]) <= 40:
            raise Refused(f"Invalid '{where}.tool_calls[].id': expected a string with maximum length 40.", where)
        only(call, frozenset({"id", "type", "function"}), f"{where}.tool_calls[]", UNKNOWN)
        if call.get("type") != "function" or not isinstance(call["function"].get("arguments"), str):
            raise Refused(f"Invalid '{where}.tool_calls[]': type function and string arguments are needed.", where)
    if len({call["id"] for call in calls}) != len(calls):
        raise Refused(f"Duplicate tool call ids in '{where}.tool_calls'.", where)


def _order(messages: Sequence[Mapping[str, Any]]) -> None:
    """Each call is answered, once, directly behind its turn; and no result comes without a call."""
    awaited: set[str] = set()
    for index, message in enumerate([*messages, {"role": "end"}]):
        if message["role"] == "tool":
            answered = message.get("tool_call_id")
            if answered not in awaited:
                raise Refused(
                    "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                    f"messages.[{index}].role",
                )
            awaited.discard(answered)
            continue
        if awaited:
            missing = ", ".join(sorted(awaited))
            raise Refused(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. The following tool_call_ids did not have response messages: {missing}",
                f"messages.[{index}].role",
            )
        awaited = {call["id"] for call in message.get("tool_calls") or ()}


def converse(body: Mapping[str, Any]) -> Conversation:
    """The request as a script sees it."""
    messages = body["messages"]
    results: dict[str, str] = {}
    for message in reversed(messages):
        if message["role"] == "tool":
            results[message["tool_call_id"]] = _text(message)
        elif message["role"] == "assistant":
            break
    users = [message for message in messages if message["role"] == "user"]
    wanted = body.get("response_format") or {}
    return Conversation(
        model=body["model"],
        stream=bool(body.get("stream")),
        body=body,
        said=_text(users[-1]) if users else "",
        system="\n".join(_text(message) for message in messages if message["role"] in ("system", "developer")),
        results=dict(reversed(results.items())),
        rounds=sum(1 for message in messages if message.get("tool_calls")),
        media=tuple(seen for message in messages for seen in _media(message)),
        schema=(wanted.get("json_schema") or {}).get("schema"),
        thoughts=sum(1 for message in messages if message.get("reasoning_content")),
        dialect="openai",
    )


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _media(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    found = []
    for part in content if isinstance(content, list) else ():
        if part["type"] in ("image_url", "file"):
            address = part["image_url"]["url"] if part["type"] == "image_url" else part["file"].get("file_data", "")
            data = data_url(address)
            found.append(address if data is None else f"{data[0]}:{digest(data[1])}")
    return found
