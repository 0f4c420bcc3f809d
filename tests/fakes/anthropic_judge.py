"""What Anthropic's messages refuse.

Written from the published reference of `POST /v1/messages` and the refusals people report of it.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fakes.anthropic_generations import judge_generation
from fakes.anthropic_talk import turns_of
from fakes.anthropic_voice import sign
from fakes.wire import Refused, names, only

FIELDS = names(
    "model messages max_tokens cache_control container diagnostics inference_geo metadata output_config service_tier "
    "speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p"
)
BETA_FIELDS = {
    "context_management": "context-management-",
    "mcp_servers": "mcp-client-",
    "output_format": "structured-outputs-",
    "thread": "message-threads-",
}
BLOCK_FIELDS = {
    "text": frozenset({"type", "text", "citations", "cache_control"}),
    "image": frozenset({"type", "source", "cache_control"}),
    "document": frozenset({"type", "source", "title", "context", "citations", "cache_control"}),
    "tool_use": frozenset({"type", "id", "name", "input", "cache_control", "caller"}),
    "tool_result": frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
}
BLOCKS_OF = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
    "system": ("text",),
}
SOURCE_FIELDS = {
    "base64": frozenset({"type", "media_type", "data"}),
    "url": frozenset({"type", "url"}),
    "text": frozenset({"type", "media_type", "data"}),
    "content": frozenset({"type", "content"}),
    "file": frozenset({"type", "file_id"}),
}
TOOL_FIELDS = names(
    "name description input_schema type cache_control strict defer_loading eager_input_streaming input_examples "
    "allowed_callers"
)
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
ID = re.compile(r"[a-zA-Z0-9_-]+")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
EXTRA = "{path}: Extra inputs are not permitted"
MARKS = 4


def judge(body: Mapping[str, Any], beta: str = "") -> None:
    """Raises Refused for what would be answered with 400. `beta` is the `anthropic-beta` header."""
    opened = {name for name, opener in BETA_FIELDS.items() if opener in beta}
    only(body, FIELDS | opened, "", EXTRA)
    for name in ("model", "messages", "max_tokens"):
        if name not in body:
            raise Refused(f"{name}: Field required", name)
    if isinstance(body["max_tokens"], bool) or not isinstance(body["max_tokens"], int) or body["max_tokens"] < 1:
        raise Refused("max_tokens: Input should be a valid integer greater than or equal to 1")
    if not isinstance(body["messages"], list) or not body["messages"]:
        raise Refused("messages: at least one message is required")
    _settings(body)
    _thinking(body, interleaved="interleaved-thinking" in beta)
    _tools(body)
    _system(body.get("system"))
    for index, message in enumerate(body["messages"]):
        _message(message, f"messages.{index}", system="mid-conversation-" in beta)
    turns = turns_of(body["messages"])
    _order(turns)
    _tail(body, turns)
    judge_generation(body)
    if len(list(_marks(body))) > MARKS:
        raise Refused(f"A maximum of 4 blocks with cache_control may be provided. Found {len(list(_marks(body)))}.")


def _settings(body: Mapping[str, Any]) -> None:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is not None and not 0 <= value <= 1:
            raise Refused(f"{name}: range: 0..1")
    if any(not word.strip() for word in body.get("stop_sequences") or ()):
        raise Refused("stop_sequences: each stop sequence must contain non-whitespace")
    only(body.get("metadata") or {}, frozenset({"user_id"}), "metadata", EXTRA)
    config = body.get("output_config") or {}
    only(config, frozenset({"effort", "format", "task_budget"}), "output_config", EXTRA)
    if config.get("effort") not in (None, "low", "medium", "high", "xhigh", "max"):
        raise Refused("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    if (wanted := config.get("format")) is not None:
        only(wanted, frozenset({"type", "schema"}), "output_config.format", EXTRA)
        _closed(wanted.get("schema"))


def _closed(schema: Any) -> None:
    """Structured output wants every object closed."""
    if isinstance(schema, list):
        for item in schema:
            _closed(item)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise Refused(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
        )
    for value in schema.values():
        _closed(value)


def _thinking(body: Mapping[str, Any], *, interleaved: bool) -> None:
    thinking = body.get("thinking")
    if thinking is None or thinking.get("type") == "disabled":
        return
    kind = thinking.get("type")
    allowed = {"enabled": {"type", "budget_tokens", "display"}, "adaptive": {"type", "display"}}.get(kind)
    if allowed is None:
        raise Refused("thinking.type: Input should be 'enabled', 'disabled' or 'adaptive'")
    only(thinking, frozenset(allowed), f"thinking.{kind}", EXTRA)
    if kind == "enabled":
        _budget(thinking, body["max_tokens"], interleaved=interleaved)
    if body.get("temperature") not in (None, 1):
        raise Refused("`temperature` may only be set to 1 when thinking is enabled.")
    if body.get("top_k") is not None:
        raise Refused("`top_k` must be unset when thinking is enabled.")
    # Beside adaptive thinking a forced tool is taken: recorded answers show it.
    if kind == "enabled" and (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise Refused("Thinking may not be enabled when tool_choice forces tool use.")


def _budget(thinking: Mapping[str, Any], max_tokens: int, *, interleaved: bool) -> None:
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or budget < 1024:
        raise Refused("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if budget >= max_tokens and not interleaved:
        raise Refused("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or []
    choice = body.get("tool_choice")
    if choice is not None and not tools:
        raise Refused("tool_choice: may only be specified while providing tools")
    listed: list[str] = []
    for index, tool in enumerate(tools):
        if tool.get("type", "custom") not in (None, "custom"):
            continue
        where = f"tools.{index}.custom"
        only(tool, TOOL_FIELDS, where, EXTRA)
        if not NAME.fullmatch(tool.get("name") or ""):
            raise Refused(f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if (tool.get("input_schema") or {}).get("type") != "object":
            raise Refused(f"{where}.input_schema.type: Field required")
        if not isinstance(tool.get("description", ""), str):
            raise Refused(f"{where}.description: Input should be a valid string")
        listed.append(tool["name"])
    if len(set(listed)) != len(listed):
        raise Refused("tools: Tool names must be unique.")
    if choice is not None:
        _choice(choice, listed)


def _choice(choice: Mapping[str, Any], listed: Sequence[str]) -> None:
    allowed = {
        "auto": {"type", "disable_parallel_tool_use"},
        "any": {"type", "disable_parallel_tool_use"},
        "tool": {"type", "name", "disable_parallel_tool_use"},
        "none": {"type"},
    }.get(choice.get("type"))
    if allowed is None:
        raise Refused("tool_choice: Input tag is not one of 'auto', 'any', 'tool', 'none'")
    only(choice, frozenset(allowed), f"tool_choice.{choice['type']}", EXTRA)
    if choice["type"] == "tool" and choice.get("name") not in listed:
        raise Refused(f"tool_choice.tool.name: Tool {choice.get('name')!r} not found in provided tools")


def _system(system: Any) -> None:
    for index, block in enumerate(system if isinstance(system, list) else ()):
        _block(block, f"system.{index}", ("text",))


def _message(message: Mapping[str, Any], where: str, *, system: bool) -> None:
    only(message, frozenset({"role", "content"}), where, EXTRA)
    role = message.get("role")
    if role not in (("user", "assistant", "system") if system else ("user", "assistant")):
        raise Refused(f"{where}.role: Input should be 'user' or 'assistant'")
    content = message.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise Refused(f"{where}.content: Input should be a valid list")
    for index, block in enumerate(content):
        _block(block, f"{where}.content.{index}", BLOCKS_OF[role])


def _block(block: Mapping[str, Any], where: str, allowed: Sequence[str]) -> None:
    kind = block.get("type")
    if kind not in allowed:
        raise Refused(f"{where}: Input tag {kind!r} found using 'type' does not match any of {', '.join(allowed)}")
    only(block, BLOCK_FIELDS[kind], f"{where}.{kind}", EXTRA)
    CHECKS[kind](block, where)


def _text_block(block: Mapping[str, Any], where: str) -> None:
    if not isinstance(block.get("text"), str):
        raise Refused(f"{where}.text: Input should be a valid string")
    if not block["text"]:
        raise Refused(f"{where}: text content blocks must be non-empty")
    if not block["text"].strip():
        raise Refused(f"{where}: text content blocks must contain non-whitespace text")


def _media_block(block: Mapping[str, Any], where: str) -> None:
    source = block.get("source") or {}
    if source.get("type") not in SOURCE_FIELDS:
        raise Refused(f"{where}.source: Input tag is not known")
    only(source, SOURCE_FIELDS[source["type"]], f"{where}.source", EXTRA)
    if source["type"] != "base64":
        return
    wanted = IMAGES if block["type"] == "image" else ("application/pdf",)
    if source.get("media_type") not in wanted:
        raise Refused(f"{where}.source.base64.media_type: Input should be {' or '.join(wanted)}")
    try:
        base64.b64decode(source.get("data", ""), validate=True)
    except binascii.Error as error:
        raise Refused(f"{where}.source.base64.data: invalid base64 data") from error


def _call_block(block: Mapping[str, Any], where: str) -> None:
    if not ID.fullmatch(block.get("id") or ""):
        raise Refused(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    if not NAME.fullmatch(block.get("name") or ""):
        raise Refused(f"{where}.tool_use.name: String should match pattern")
    if not isinstance(block.get("input"), dict):
        raise Refused(f"{where}.tool_use.input: Input should be a valid dictionary")


def _result_block(block: Mapping[str, Any], where: str) -> None:
    if not ID.fullmatch(block.get("tool_use_id") or ""):
        raise Refused(f"{where}.tool_result.tool_use_id: String should match pattern '^[a-zA-Z0-9_-]+$'")
    content = block.get("content")
    for index, inner in enumerate(content if isinstance(content, list) else ()):
        _block(inner, f"{where}.tool_result.content.{index}", ("text", "image", "document"))


def _thought_block(block: Mapping[str, Any], where: str) -> None:
    if "signature" not in block:
        raise Refused(f"{where}.thinking.signature: Field required")
    if block["signature"] != sign(block.get("thinking", "")):
        raise Refused(f"{where}: Invalid `signature` in `thinking` block")


def _hidden_block(block: Mapping[str, Any], where: str) -> None:
    if not str(block.get("data", "")).startswith("scripted"):
        raise Refused(f"{where}: Invalid `data` in `redacted_thinking` block")


CHECKS = {
    "text": _text_block,
    "image": _media_block,
    "document": _media_block,
    "tool_use": _call_block,
    "tool_result": _result_block,
    "thinking": _thought_block,
    "redacted_thinking": _hidden_block,
}


def _order(turns: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
    """Each tool_use is answered at the head of the next user turn, and no result stands without its call."""
    if turns and turns[0][0] != "user":
        raise Refused('messages: first message must use the "user" role')
    open_calls: list[str] = []
    used: set[str] = set()
    for number, (_, blocks) in enumerate(turns):
        answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if strangers := [name for name in answered if name not in open_calls]:
            raise Refused(
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(strangers)}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if missing := [name for name in open_calls if name not in answered]:
            raise Refused(
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}."
            )
        if len(set(answered)) != len(answered):
            raise Refused(f"messages.{number}: each tool_use must have a single result.")
        if any(block["type"] != "tool_result" for block in blocks[: len(answered)]):
            raise Refused(f"messages.{number}: `tool_result` blocks must come first in the content.")
        open_calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if used & set(open_calls) or len(set(open_calls)) != len(open_calls):
            raise Refused(f"messages.{number}: `tool_use` ids must be unique")
        used |= set(open_calls)
    if open_calls:
        raise Refused(
            f"`tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(open_calls)}."
        )


def _tail(body: Mapping[str, Any], turns: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
    """Empty turns, prefills, and the thought that must lead the turn which called the tools."""
    for number, (role, blocks) in enumerate(turns):
        empty = not blocks or (len(blocks) == 1 and blocks[0].get("text") == "")
        if empty and not (role == "assistant" and number == len(turns) - 1):
            raise Refused(f"messages.{number}: all messages must have non-empty content")
    thinks = (body.get("thinking") or {}).get("type") == "enabled"
    if turns[-1][0] == "assistant":
        if thinks:
            raise Refused("When thinking is enabled, a final `assistant` message must not be prefilled.")
        if turns[-1][1] and str(turns[-1][1][-1].get("text", "")).endswith((" ", "\n", "\t")):
            raise Refused("messages: final assistant content cannot end with trailing whitespace")
    if thinks:
        _led_by_thought(turns)


def _led_by_thought(turns: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> None:
    """A tool loop that still goes on began with a thought, in the turn behind the user's last words."""
    loop = 0
    for number, (role, blocks) in enumerate(turns):
        if role == "user" and any(block["type"] != "tool_result" for block in blocks):
            loop = number + 1
    first = turns[loop][1][0]["type"] if loop < len(turns) else "thinking"
    if first not in ("thinking", "redacted_thinking"):
        raise Refused(
            f"messages.{loop}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{first}`. "
            "When `thinking` is enabled, a final `assistant` message must start with a thinking block."
        )


def _marks(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if value.get("cache_control") is not None:
            yield value["cache_control"]
        for name, inner in value.items():
            if name not in ("input", "input_schema"):
                yield from _marks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _marks(inner)
