from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text, ToolResult
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_ANSWERED = Message(Role.USER, (ToolResult("call_a", (Text("Error: no such city"),)),))
REQUEST = replace(_REQUEST, messages=(*_REQUEST.messages[:2], _ANSWERED))
