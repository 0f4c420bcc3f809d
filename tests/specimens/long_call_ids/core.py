from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is it cold in Oslo?"),)),
        Message(
            Role.ASSISTANT, (ToolCall("chatcmpl:tool/0123456789abcdef0123456789abcdef", "weather", '{"city":"Oslo"}'),)
        ),
        Message(Role.USER, (ToolResult("chatcmpl:tool/0123456789abcdef0123456789abcdef", (Text("3 degrees"),)),)),
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
    id="0047",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_STAND_IN = "call_aa29099d219ffee4a82eb2ff"
_CALL, _RESULT = (
    Message(Role.ASSISTANT, (ToolCall(_STAND_IN, "weather", '{"city":"Oslo"}'),)),
    Message(Role.USER, (ToolResult(_STAND_IN, (Text("3 degrees"),)),)),
)
_REPLACED = replace(REQUEST, messages=(REQUEST.messages[0], _CALL, _RESULT))
REQUEST_IN = {"openai_chat": _REPLACED, "anthropic": _REPLACED}
