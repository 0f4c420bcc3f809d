from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is Oslo colder than Rome?"),)),
        Message(
            Role.ASSISTANT,
            (ToolCall("call_a", "weather", '{"city":"Oslo"}'), ToolCall("call_b", "weather", '{"city":"Rome"}')),
        ),
        Message(Role.USER, (ToolResult("call_b", (Text("21 degrees"),)), ToolResult("call_a", (Text("3 degrees"),)))),
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
    id="0013",
    model="aurora-1",
    candidates=(Candidate((Text("Yes, by 18 degrees."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
