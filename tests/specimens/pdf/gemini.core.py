from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_NAMELESS = replace(_REQUEST.messages[0].parts[0], name=None)

REQUEST = replace(_REQUEST, messages=(Message(Role.USER, (_NAMELESS, Text("What is the sum?"))),))
