from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

OSLO, ROME = "call_0628d94f95cb9d451e5198c8", "call_ea0d11386ddfeaf718eeef91"

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is Oslo colder than Rome?"),)),
        Message(
            Role.ASSISTANT,
            (
                Text("I will look."),
                ToolCall(OSLO, "weather", '{"city":"Oslo"}'),
                ToolCall(ROME, "weather", '{"city":"Rome"}'),
            ),
        ),
        Message(Role.USER, (ToolResult(OSLO, (Text("3 degrees"),)), ToolResult(ROME, (Text("21 degrees"),)))),
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
    id="0055",
    model="aurora-1",
    candidates=(Candidate((Text("Yes, by 18 degrees."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
