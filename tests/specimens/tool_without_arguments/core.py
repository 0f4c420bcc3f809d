from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("What time is it?"),)),),
    max_output=512,
    tools=(Tool("clock", "The time of day."),),
)

REPLY = ChatReply(
    id="0010",
    model="aurora-1",
    candidates=(Candidate((ToolCall("call_1", "clock", "{}"),), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_SCHEMA = Raw(b'{"type":"object","properties":{}}')
REQUEST_IN = {
    "anthropic": replace(REQUEST, tools=(Tool("clock", "The time of day.", _SCHEMA),)),
}
