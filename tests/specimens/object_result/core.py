"""A tool's answer that is an object."""

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is it cold in Oslo?"),)),
        Message(Role.ASSISTANT, (ToolCall("call_a", "weather", '{"city":"Oslo"}'),)),
        Message(Role.USER, (ToolResult("call_a", (Text('{"degrees":3,"sky":"grey"}'),)),)),
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
    id="0101",
    model="aurora-1",
    candidates=(Candidate((Text("It is."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
