from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_SCHEMA = Raw(b'{"type":"object","properties":{"who":{"type":"string"}},"required":["who"]}')
REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Call Ida."),)),
        Message(Role.ASSISTANT, (ToolCall("call_1", "people__call", '{"who":"Ida"}'),)),
        Message(Role.USER, (ToolResult("call_1", (Text("she comes"),)),)),
    ),
    max_output=512,
    tools=(Tool("people__call", "Calls someone.", _SCHEMA), Tool("people__thank", "Thanks someone.", _SCHEMA)),
)

REPLY = ChatReply(
    id="0051",
    model="aurora-1",
    candidates=(Candidate((ToolCall("call_2", "people__thank", '{"who":"Ida"}'),), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
