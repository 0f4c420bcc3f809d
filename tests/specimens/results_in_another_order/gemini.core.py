from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_ANSWERED = Message(Role.USER, tuple(reversed(_REQUEST.messages[2].parts)))

REQUEST = replace(_REQUEST, messages=(*_REQUEST.messages[:2], _ANSWERED))
