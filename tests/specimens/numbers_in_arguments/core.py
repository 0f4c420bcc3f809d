from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_ARGUMENTS = '{"whole":1.0,"large":1e21,"zero":-0.0,"id":12345678901234567890}'

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Pay it."),)),
        Message(Role.ASSISTANT, (ToolCall("call_a", "pay", _ARGUMENTS),)),
        Message(Role.USER, (ToolResult("call_a", (Text("paid"),)),)),
    ),
    max_output=512,
    tools=(Tool("pay", "Pays.", Raw(b'{"type":"object","properties":{"id":{"type":"integer"}}}')),),
)

REPLY = ChatReply(
    id="0062",
    model="aurora-1",
    candidates=(Candidate((ToolCall("call_b", "pay", _ARGUMENTS),), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
