from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool, ToolChoice, ToolMode
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Is it cold in Oslo?"),)),),
    max_output=512,
    tools=(
        Tool(
            "weather",
            "The weather in a city.",
            Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'),
        ),
    ),
    tool_choice=ToolChoice(ToolMode.NONE),
)

REPLY = ChatReply(
    id="0019",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
