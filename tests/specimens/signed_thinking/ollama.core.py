from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Reasoning
from isthmus.core.usage import Usage
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_TOLD = Message(Role.ASSISTANT, (Reasoning("Oslo is up north."), *_REQUEST.messages[1].parts[1:]))
_SAID = replace(_REPLY.candidates[0], parts=(Reasoning("Three degrees is cold."), _REPLY.candidates[0].parts[1]))
REQUEST = replace(_REQUEST, messages=(_REQUEST.messages[0], _TOLD, _REQUEST.messages[2]), reasoning=None)
REPLY = replace(_REPLY, candidates=(_SAID,), usage=Usage(fresh_input=20, output=17))
