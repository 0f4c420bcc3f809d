from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import ToolResult
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_WORDS, _PICTURE = _REQUEST.messages[2].parts[0].parts
_TOLD = Message(Role.USER, (ToolResult("call_a", (_PICTURE, _WORDS)),))
REQUEST = replace(_REQUEST, messages=(*_REQUEST.messages[:2], _TOLD))
