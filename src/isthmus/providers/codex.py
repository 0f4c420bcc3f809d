"""Where the Codex backend of ChatGPT is asked for what, and what it takes of a Responses request.

It speaks the Responses dialect to whoever has signed in to ChatGPT, keeps nothing, always streams, and refuses a
request for any field that is not on its own list. What it refuses was tried out by others, field by field:
github.com/langwatch/langwatch/pull/7507, github.com/mnfst/llm-gateway/pull/1807, github.com/BerriAI/litellm/pull/21209;
that it wants instructions, and no system turns among the items: github.com/mnfst/llm-gateway/issues/1169,
github.com/ginlix-ai/LangAlpha/pull/100; that ids of items lead nowhere, and long ones are refused:
github.com/NousResearch/hermes-agent/pull/10217 and /43820. Which headers name the caller: github.com/openai/codex.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from types import MappingProxyType

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers import openai
from isthmus.providers.codex_errors import read_error
from isthmus.providers.codex_stream import unwrap
from isthmus.providers.host import Location, Place
from isthmus.providers.provider import Address, Aim, Envelope
from isthmus.providers.quirks import Quirks
from isthmus.providers.signers import bearer
from isthmus.wire import json
from isthmus.wire.frames import Framing
from isthmus.wire.headers import Headers, find

BASE = "https://chatgpt.com/backend-api/codex"
ISSUER = "codex"
CLIENT_VERSION = "0.157.0"
"""What its list of models is asked for, which leaves out those that are too new for a client."""
MODELS = ("gpt-5.3-codex", "gpt-5.2", "gpt-*", "codex-*")
"""Which of them an account may use is for its plan to say."""
STAND_INS: Mapping[str, str] = MappingProxyType(
    {
        name.replace("FAMILY", family): model
        for family, model in (("opus", "gpt-5.3-codex"), ("sonnet", "gpt-5.2"), ("haiku", "gpt-5.2"))
        for name in ("FAMILY", "FAMILY-1m", "claude-FAMILY", "claude-FAMILY-*", "claude-*-FAMILY", "claude-*-FAMILY-*")
    }
)
"""Models for the names of Claude that clients of codex-claude-proxy ask for, also dated, and ending in -1m."""
KEY_LENGTH = 32
"""Characters of the key by which prompts of one user find their cache. Who that is cannot be read from it."""
INSTRUCTIONS = "You are a helpful assistant."
"""Stands for the instructions that it wants, where a caller gives none."""

QUIRKS = Quirks(
    drop=frozenset(
        {
            "context_management",
            "max_output_tokens",
            "max_tool_calls",
            "metadata",
            "moderation",
            "temperature",
            "top_logprobs",
            "top_p",
        }
    )
)
"""Fields that it refuses, and that an answer would be another one with."""

_IDLE = frozenset(
    {
        "background",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "stream_options",
        "truncation",
        "user",
    }
)
"""Fields that it refuses, and that change nothing of an answer as they are taken here."""
_ELSEWHERE = ("previous_response_id", "conversation", "prompt")
"""Fields that stand for what a provider has kept."""
_TIERS = (Raw(b'"priority"'), Raw(b'"flex"'))
"""Values of `service_tier` that Codex itself sends."""
_USUAL_TIERS = (json.NULL, Raw(b'"auto"'), Raw(b'"default"'))
"""Values that ask for nothing else than what is done without the field."""
_NAMED = frozenset({"function_call", "function_call_output", "message", "reasoning"}) | frozenset(
    {"custom_tool_call", "custom_tool_call_output", "local_shell_call", "web_search_call"}
)
"""Types of items whose ids it can do without; Codex sends none."""
_BLANK = (Raw(b"null"), Raw(b'""'))
_SEALED = json.raw(["reasoning.encrypted_content"])
_TRUE, _FALSE, _NOTHING = Raw(b"true"), Raw(b"false"), Raw(b"[]")
_TELLING = (b'"system"', b'"id"', b'"reasoning"', b'"item_reference"')
"""One of these stands in every item that must be changed."""

PASSED = frozenset(
    {
        b"conversation_id",
        b"originator",
        b"session-id",
        b"session_id",
        b"thread-id",
        b"version",
        b"x-client-request-id",
        b"x-codex-beta-features",
        b"x-codex-turn-metadata",
        b"x-codex-turn-state",
        b"x-codex-window-id",
        b"x-openai-subagent",
    }
)
"""What Codex itself says of a conversation, which travels on to its own backend."""
ORIGINATOR = (b"originator", b"isthmus")


def locate(place: Place) -> Location:
    """The backend, or whatever stands in for it."""
    return Location(place.base_url or BASE, address, ENVELOPE)


def address(prefix: str) -> Address:
    """The paths below `prefix`."""
    return partial(_address, prefix, openai.address(prefix))


def _address(prefix: str, others: Address, aim: Aim) -> tuple[str, str]:
    if aim.operation is Operation.LIST_MODELS:
        return "GET", f"{prefix}/models?client_version={CLIENT_VERSION}"
    return others(aim)


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """Who asks, unless the caller is Codex itself. What proves it comes from an account, or is a token of one's own."""
    named = headers if find(headers, ORIGINATOR[0]) is not None else (*headers, ORIGINATOR)
    return bearer(named, secret)


def wrap(aim: Aim, fields: dict[str, Raw], client: Headers) -> dict[str, Raw]:  # noqa: ARG001  one of Envelope.wrap
    """The body as the backend takes it. Raises UNSUPPORTED for what only a provider that keeps answers can take.

    Raises INVALID for items that cannot be read.
    """
    try:
        return _taken(fields)
    except json.Malformed as error:
        raise GatewayError(Kind.INVALID, error.message, param=error.path or None) from error


def _taken(fields: dict[str, Raw]) -> dict[str, Raw]:
    for name in _ELSEWHERE:
        if fields.get(name, json.NULL) != json.NULL:
            raise _unsupported(name, "the Codex backend keeps no answers")
    if fields.get("background") == _TRUE:
        raise _unsupported("background", "the Codex backend answers at once or not at all")
    taken = {name: value for name, value in fields.items() if name not in _IDLE and name not in _ELSEWHERE}
    if taken.get("service_tier") not in _TIERS:
        taken.pop("service_tier", None)
    user = _text(fields.get("user")) or _text(fields.get("safety_identifier"))
    if user and "prompt_cache_key" not in taken:
        taken["prompt_cache_key"] = json.raw(sha256(user.encode()).hexdigest()[:KEY_LENGTH])
    taken["store"], taken["stream"] = _FALSE, _TRUE
    taken.setdefault("include", _SEALED)
    taken["instructions"], taken["input"] = _input(taken.get("instructions", json.NULL), taken.get("input", _NOTHING))
    return taken


def note(aim: Aim, client: Headers, body: bytes, losses: Losses) -> None:  # noqa: ARG001  one of Envelope.note
    """Tell what is left out of a Responses body beside QUIRKS."""
    fields = json.read_fields(body)
    if fields.get("service_tier", json.NULL) not in (*_TIERS, *_USUAL_TIERS):
        losses.drop("service_tier", "this host knows priority and flex")
    if fields.get("truncation") == Raw(b'"auto"'):
        losses.drop("truncation", "this host refuses a conversation that is too long")
    if b'"reasoning"' not in body or not _is_list(items := fields.get("input", json.NULL)):
        return
    for number, item in enumerate(json.read_items(items)):
        if json.is_object(item) and b'"reasoning"' in bytes(item) and _is_empty_thought(json.read_fields(item)):
            losses.drop(f"input[{number}]", "this host takes back only thoughts that it has sealed")


ENVELOPE = Envelope(wrap=wrap, unwrap=unwrap, read_error=read_error, note=note, framing=Framing.SSE, passes=PASSED)


def _input(instructions: Raw, value: Raw) -> tuple[Raw, Raw]:
    """The instructions, which there must be, and the items, which must be a list without system turns and ids."""
    if json.is_text(value):
        value = json.raw([{"role": "user", "content": value}])
    said = instructions not in _BLANK
    if said and not _is_telling(value):
        return instructions, value
    items = _items(value)
    if not said:
        instructions, items = _promoted(items)
    return instructions, json.raw(items)


def _items(value: Raw) -> Sequence[Raw]:
    taken = [_item(item, number) for number, item in enumerate(json.read_items(value, "input"))]
    return [item for item in taken if item is not None]


def _item(item: Raw, number: int) -> Raw | None:
    """One item as it is taken; None for a thought that nobody can read."""
    if not _is_telling(item):
        return item
    fields = json.read_fields(item, f"input[{number}]")
    kind = _text(fields.get("type")) or "message"
    if kind == "item_reference":
        raise _unsupported(f"input[{number}]", "the Codex backend keeps no items")
    if kind == "reasoning" and _is_empty_thought(fields):
        return None
    if kind == "message" and fields.get("role") == Raw(b'"system"'):
        fields["role"] = Raw(b'"developer"')
    if kind in _NAMED:
        fields.pop("id", None)
    return json.raw(fields)


def _promoted(items: Sequence[Raw]) -> tuple[Raw, Sequence[Raw]]:
    """The instructions that stand as the first item, and the others; ours where it holds none."""
    if len(items) > 1:
        fields = json.read_fields(items[0])
        if fields.get("role") == Raw(b'"developer"') and (words := _words(fields.get("content"))):
            return json.raw(words), items[1:]
    return json.raw(INSTRUCTIONS), items


def _words(content: Raw | None) -> str:
    """What a message says, where that is nothing but text."""
    if content is None or json.is_text(content):
        return _text(content)
    parts = [json.read_fields(part) for part in json.read_items(content)]
    texts = [_text(part.get("text")) for part in parts if part.get("type") == Raw(b'"input_text"')]
    return "\n\n".join(texts) if len(texts) == len(parts) else ""


def _is_empty_thought(fields: Mapping[str, Raw]) -> bool:
    return fields.get("type") == Raw(b'"reasoning"') and fields.get("encrypted_content", json.NULL) in _BLANK


def _is_telling(value: Raw) -> bool:
    written = bytes(value)
    return any(mark in written for mark in _TELLING)


def _is_list(value: Raw) -> bool:
    return bytes(memoryview(value)[:1]) == b"["


def _text(value: Raw | None) -> str:
    return str(json.decode(value)) if value is not None and json.is_text(value) else ""


def _unsupported(param: str, why: str) -> GatewayError:
    return GatewayError(Kind.UNSUPPORTED, f"{param} cannot be had here: {why}", param=param)
