from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_SAID = Message(Role.ASSISTANT, (Text("Indeed."),))
REQUEST = replace(_REQUEST, messages=(_REQUEST.messages[0], _SAID, _REQUEST.messages[2]))
