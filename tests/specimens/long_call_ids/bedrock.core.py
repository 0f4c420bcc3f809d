from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text, ToolCall, ToolResult
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_ID = "call_aa29099d219ffee4a82eb2ff"

REQUEST = replace(
    _REQUEST,
    messages=(
        _REQUEST.messages[0],
        Message(Role.ASSISTANT, (ToolCall(_ID, "weather", '{"city":"Oslo"}'),)),
        Message(Role.USER, (ToolResult(_ID, (Text("3 degrees"),)),)),
    ),
)
