from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_SCHEMA = Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}')
REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Is it colder in Oslo than in Rome?"),)),),
    max_output=512,
    tools=(Tool("weather", "The weather in a city.", _SCHEMA),),
)

_OSLO = ToolCall("call_1", "weather", '{"city":"Oslo"}')
_ROME = ToolCall("call_2", "weather", '{"city":"Rome"}')
REPLY = ChatReply(
    id="0053",
    model="aurora-1",
    candidates=(Candidate((Text("First Oslo. "), _OSLO, Text("Now Rome."), _ROME), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
