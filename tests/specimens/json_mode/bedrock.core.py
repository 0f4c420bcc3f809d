from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_ASKED = Text("Answer with one JSON object and nothing else: no words around it, no code fence.")

REQUEST = replace(_REQUEST, messages=(Message(Role.SYSTEM, (_ASKED,)), *_REQUEST.messages), output=None)
