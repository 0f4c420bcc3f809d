"""A call that carries its vendor's proof."""

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Signature, Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_PROOF = Signature("google", "EqUCCqICAb4+9vsh8Pd5taZVoPzSvjWWwzBrvhE=")

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is it cold in Oslo?"),)),
        Message(Role.ASSISTANT, (ToolCall("call_a", "weather", '{"city":"Oslo"}', _PROOF),)),
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
)

REPLY = ChatReply(
    id="0102",
    model="aurora-1",
    candidates=(Candidate((ToolCall("call_b", "weather", '{"city":"Rome"}', _PROOF),), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
