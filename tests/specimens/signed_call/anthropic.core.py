from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import ToolCall
from isthmus.core.reply import Candidate, Finish, Reason
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)
_CALL = Message(Role.ASSISTANT, (ToolCall("call_a", "weather", '{"city":"Oslo"}'),))

REQUEST = replace(_REQUEST, messages=(_REQUEST.messages[0], _CALL, _REQUEST.messages[2]))
REPLY = replace(
    _REPLY,
    candidates=(Candidate((ToolCall("call_b", "weather", '{"city":"Rome"}'),), Finish(Reason.TOOL_CALLS)),),
)
