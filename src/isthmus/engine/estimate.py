"""A guess at the tokens of a request, for dialects that must name them before the provider has counted.

Four characters are about a token of English; a picture or a page costs about as much as the vendors say. What the
provider counts in the end replaces it.
"""

from isthmus.core.chat import ChatRequest, Tool
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult

CHARACTERS = 4
MEDIA = 1200
"""Tokens of one picture or document."""
TURN = 4
"""Tokens that a message costs beside its content."""


def estimate(request: ChatRequest) -> int:
    """Tokens of input, roughly."""
    parts = sum(_part(part) for message in request.messages for part in message.parts)
    tools = sum(_tool(tool) for tool in request.tools or () if isinstance(tool, Tool))
    return parts + tools + TURN * len(request.messages)


def _part(part: Part) -> int:
    match part:
        case Text() | Reasoning() | Refusal():
            return len(part.text) // CHARACTERS
        case ToolCall():
            return (len(part.name) + len(part.arguments)) // CHARACTERS + TURN
        case ToolResult():
            return sum(_part(inner) for inner in part.parts) + TURN
        case Media():
            return MEDIA
        case _:
            return 0


def _tool(tool: Tool) -> int:
    return (len(tool.name) + len(tool.about or "") + len(tool.schema or b"")) // CHARACTERS + TURN
