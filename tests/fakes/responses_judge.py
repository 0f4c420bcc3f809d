"""What OpenAI's Responses refuse, and what a script may know of a request that they take.

Written from the published reference of `POST /v1/responses` and the refusals people report of it. A thought
that this provider did not seal itself is refused, as the real one does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fakes.openai_judge import EFFORTS, NAME, UNKNOWN, data_url, strict
from fakes.scripts import Conversation, digest
from fakes.wire import Refused, names, only

SEALED = "gAAAAAscripted"
"""How every thought begins that this provider has sealed."""
FIELDS = names(
    "model input instructions background context_management conversation include max_output_tokens max_tool_calls "
    "metadata moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options "
    "prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature text "
    "tool_choice tools top_logprobs top_p truncation user client_metadata"
)
"""`client_metadata` is in no reference; Codex sends it to OpenAI itself, which takes it."""
HOSTED = ("web_search", "file_search", "code_interpreter", "image_generation")
INCLUDABLE = ("reasoning.encrypted_content", "message.output_text.logprobs", "web_search_call.action.sources")
ITEM_FIELDS = {
    "message": names("type id status phase role content"),
    "function_call": names("type id status call_id name namespace arguments"),
    "function_call_output": names("type id status call_id output"),
    "custom_tool_call": names("type id status call_id name namespace input"),
    "custom_tool_call_output": names("type id status call_id output"),
    "reasoning": names("type id status summary content encrypted_content"),
}
SPOKEN = {
    "system": ("input_text",),
    "developer": ("input_text",),
    "user": ("input_text", "input_image", "input_file"),
    "assistant": ("output_text", "refusal"),
}
PART_FIELDS = {
    "input_text": names("type text"),
    "output_text": names("type text annotations logprobs"),
    "refusal": names("type refusal"),
    "input_image": names("type image_url file_id detail"),
    "input_file": names("type file_data file_id file_url filename detail"),
}
PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs", "custom_tool_call": "ctc"}
RANGES = {"temperature": (0, 2), "top_p": (0, 1), "top_logprobs": (0, 20), "max_output_tokens": (16, 1_000_000)}


def judge(body: Mapping[str, Any]) -> None:
    """Raises Refused for what would be answered with 400."""
    only(body, FIELDS, "", UNKNOWN)
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused("Missing required parameter: 'model'.", "model")
    for name, (low, high) in RANGES.items():
        value = body.get(name)
        if value is not None and (isinstance(value, bool) or not low <= value <= high):
            raise Refused(f"Invalid '{name}': {value} is outside {low} to {high}.", name)
    if (body.get("reasoning") or {}).get("effort") not in (None, *EFFORTS):
        raise Refused("Invalid value for 'reasoning.effort'.", "reasoning.effort")
    for name in body.get("include") or ():
        if name not in INCLUDABLE:
            raise Refused(f"Invalid value: {name!r}.", "include")
    _tools(body)
    _format((body.get("text") or {}).get("format"))
    items = listed(body)
    if not items:
        raise Refused("Missing required parameter: 'input'.", "input")
    for place, item in enumerate(items):
        _item(item, f"input[{place}]")
    _pairs(items)


def listed(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    given = body.get("input")
    return [{"role": "user", "content": given}] if isinstance(given, str) else given or ()


def _tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        if body.get("tool_choice") is not None:
            raise Refused("Tool choice is only allowed when 'tools' are specified.", "tool_choice")
        return
    if not isinstance(tools, list) or not tools:
        raise Refused("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools")
    named = [_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom") and choice["name"] not in named:
        raise Refused("Tool choice names a tool that is not among 'tools'.", "tool_choice")


def _tool(tool: Mapping[str, Any], where: str) -> str:
    kind = tool.get("type")
    if kind == "custom":
        only(tool, names("type name description format defer_loading"), where, UNKNOWN)
    elif kind == "function":
        only(tool, names("type name description parameters strict defer_loading"), where, UNKNOWN)
        schema = tool.get("parameters")
        if schema is not None and schema.get("type") != "object":
            raise Refused(f"Invalid schema for function {tool['name']!r}: must be of type 'object'.", where)
        if tool.get("strict", True) and schema is not None:
            strict(schema, f"function {tool['name']!r}")
    elif kind in HOSTED:
        return str(kind)
    elif kind == "namespace":
        for place, inner in enumerate(tool["tools"]):
            _tool(inner, f"{where}.tools[{place}]")
    else:
        raise Refused(f"Invalid value: {kind!r}.", f"{where}.type")
    if not NAME.fullmatch(tool.get("name") or ""):
        raise Refused(f"Invalid '{where}.name': does not match the pattern.", f"{where}.name")
    return str(tool["name"])


def _format(wanted: Mapping[str, Any] | None) -> None:
    if wanted is None or wanted.get("type") in ("text", "json_object"):
        return
    only(wanted, names("type name schema strict description"), "text.format", UNKNOWN)
    if wanted.get("type") != "json_schema" or not NAME.fullmatch(wanted.get("name") or ""):
        raise Refused("Missing required parameter: 'text.format.name'.", "text.format.name")
    if wanted.get("strict"):
        strict(wanted.get("schema", {}), f"response_format {wanted['name']!r}")


def _item(item: Mapping[str, Any], where: str) -> None:
    kind = item.get("type", "message")
    if kind not in ITEM_FIELDS:
        raise Refused(f"Invalid value: {kind!r}.", f"{where}.type")
    only(item, ITEM_FIELDS[kind], where, UNKNOWN)
    prefix = PREFIXES.get(kind)
    if "id" in item and prefix is not None and not item["id"].startswith(prefix):
        raise Refused(f"Invalid '{where}.id': '{item['id']}'. Expected an ID that begins with '{prefix}'.", where)
    if len(item.get("call_id") or "") > 64:
        raise Refused(f"Invalid '{where}.call_id': string too long.", f"{where}.call_id")
    if kind == "message":
        _message(item, where)
    if kind == "reasoning" and not (item.get("encrypted_content") or "").startswith(SEALED):
        raise Refused("The encrypted content could not be verified.", where)
    output = item.get("output")
    if isinstance(output, list):
        for place, part in enumerate(output):
            _part(part, SPOKEN["user"], f"{where}.output[{place}]")


def _message(item: Mapping[str, Any], where: str) -> None:
    role, content = item.get("role"), item.get("content")
    if role not in SPOKEN:
        raise Refused(f"Invalid value: {role!r}.", f"{where}.role")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refused(f"Invalid type for '{where}.content'.", f"{where}.content")
    for place, part in enumerate(content):
        _part(part, SPOKEN[role], f"{where}.content[{place}]")


def _part(part: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    kind = part.get("type")
    if kind not in allowed:
        raise Refused(f"Invalid value: {kind!r}. Supported values are: {', '.join(allowed)}.", where)
    only(part, PART_FIELDS[kind], where, UNKNOWN)
    data = part.get("file_data") if kind == "input_file" else None
    if data is not None and ("filename" not in part or data_url(data) is None):
        raise Refused("Invalid file data: a filename and a base64 data URL are needed.", where)


def _pairs(items: Sequence[Mapping[str, Any]]) -> None:
    """Each call is answered, and no result comes without a call before it."""
    called: list[str] = []
    for item in items:
        kind = item.get("type", "message")
        if kind in ("function_call", "custom_tool_call"):
            called.append(item["call_id"])
        elif kind.endswith("_output"):
            if item["call_id"] not in called:
                raise Refused(f"No tool call found for function call output with call_id {item['call_id']}.", "input")
            called.remove(item["call_id"])
    if called:
        raise Refused(f"No tool output found for function call {called[0]}.", "input")


def converse(body: Mapping[str, Any]) -> Conversation:
    """The request as a script sees it."""
    items = listed(body)
    kinds = [item.get("type", "message") for item in items]
    last = max((place for place, item in enumerate(items) if _is_spoken(item)), default=-1)
    users = [item for item in items if item.get("role") == "user"]
    wanted = (body.get("text") or {}).get("format") or {}
    system = [_words(item["content"]) for item in items if item.get("role") in ("system", "developer")]
    return Conversation(
        model=body["model"],
        stream=bool(body.get("stream")),
        body=body,
        said=_words(users[-1]["content"]) if users else "",
        system="\n".join([body.get("instructions") or "", *system]).strip(),
        results={item["call_id"]: _words(item["output"]) for item in items[last + 1 :] if "output" in item},
        rounds=sum(
            kind in ("function_call", "custom_tool_call") and kinds[place - 1] != kind
            for place, kind in enumerate(kinds)
        ),
        media=tuple(seen for item in items for seen in _media(item.get("content") or item.get("output"))),
        schema=wanted.get("schema"),
        thoughts=kinds.count("reasoning"),
        dialect="openai_responses",
    )


def _is_spoken(item: Mapping[str, Any]) -> bool:
    """Was it said by the model?"""
    return item.get("role") == "assistant" or item.get("type") in ("function_call", "custom_tool_call", "reasoning")


def _words(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _media(content: Any) -> list[str]:
    found = []
    for part in content if isinstance(content, list) else ():
        address = part.get("image_url") or part.get("file_data") or part.get("file_url")
        if address:
            data = data_url(address)
            found.append(address if data is None else f"{data[0]}:{digest(data[1])}")
    return found
