"""A Gemini client's requests read, and a Gemini provider's written, with what was lost."""

from typing import Any

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Inline, Media, MediaKind, Text, ToolCall
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN, ModelProfile
from isthmus.dialects.gemini.generate import CODEC
from isthmus.wire import json

USER = {"role": "user", "parts": [{"text": "Hello?"}]}
ASKED = Message(Role.USER, (Text("Hello?"),))
PICTURE = Media(MediaKind.IMAGE, Inline("image/png", "iVBO"))
CALL = ToolCall("call_1", "clock", "{}")
Lost = list[tuple[str, str]]
"""Path and deed of each loss."""


def read(**fields: Any) -> ChatRequest:
    return CODEC.read_request(json.encode({"contents": [USER], **fields}))


def turns(*contents: object) -> tuple[Message, ...]:
    return CODEC.read_request(json.encode({"contents": contents})).messages


def said(*parts: object, role: str = "user") -> Message:
    """The only turn, which holds these parts on the wire."""
    return turns({"role": role, "parts": parts})[0]


def asking(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=messages or (ASKED,), **fields)


def write(request: ChatRequest, profile: ModelProfile = UNKNOWN) -> tuple[dict[str, Any], Lost]:
    losses = Losses()
    body = json.decode(CODEC.write_request(request, profile, losses))
    return body, [(loss.path, loss.deed.value) for loss in losses.found]


def contents(*messages: Message, profile: ModelProfile = UNKNOWN) -> tuple[Any, Lost]:
    """The turns as they are written."""
    body, losses = write(asking(*messages), profile)
    return body["contents"], losses
