from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role, Tool
from isthmus.core.content import Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is it cold in Oslo?"),)),
        Message(
            Role.ASSISTANT,
            (
                Reasoning(
                    "Oslo is up north.", Signature("anthropic", "EqQBCgIYAhIkYjFmZ2hTaWduYXR1cmVPZlRoaXNUaG91Z2h0")
                ),
                Text("I look."),
                ToolCall("call_a", "weather", '{"city":"Oslo"}'),
            ),
        ),
        Message(Role.USER, (ToolResult("call_a", (Text("3 degrees"),)),)),
    ),
    max_output=512,
    tools=(
        Tool(
            "weather",
            "The weather in a city.",
            Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'),
        ),
    ),
    reasoning=ReasoningOptions(mode=ReasoningMode.ADAPTIVE),
)

REPLY = ChatReply(
    id="0026",
    model="aurora-1",
    candidates=(
        Candidate(
            (
                Reasoning(
                    "Three degrees is cold.", Signature("anthropic", "EqQBCgIYAhIkYjFmZ2hTaWduYXR1cmVPZlRoaXNUaG91Z2h0")
                ),
                Text("Yes, it is."),
            ),
            Finish(Reason.STOP),
        ),
    ),
    usage=Usage(fresh_input=20, output=10, reasoning=7),
    created=1700000000,
)

REQUEST_IN = {
    "openai_chat": replace(REQUEST, reasoning=None),
}
