from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Inline, Media, MediaKind, Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Show me Oslo."),)),
        Message(Role.ASSISTANT, (ToolCall("call_a", "weather", '{"city":"Oslo"}'),)),
        Message(
            Role.USER,
            (
                ToolResult(
                    "call_a",
                    (
                        Text("A view:"),
                        Media(
                            MediaKind.IMAGE,
                            Inline(
                                "image/png",
                                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    max_output=512,
    tools=(
        Tool(
            "weather",
            "The weather in a city.",
            Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'),
        ),
    ),
)

REPLY = ChatReply(
    id="0016",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_PICTURE = Media(
    MediaKind.IMAGE,
    Inline(
        "image/png", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    ),
)
_TOLD = Message(Role.USER, (ToolResult("call_a", (Text("A view:"),)), _PICTURE))
REQUEST_IN = {
    "openai_chat": replace(REQUEST, messages=(*REQUEST.messages[:2], _TOLD)),
}
