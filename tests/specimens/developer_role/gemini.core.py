from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, messages=(Message(Role.SYSTEM, (Text("Be brief."),)), *_REQUEST.messages[1:]))
