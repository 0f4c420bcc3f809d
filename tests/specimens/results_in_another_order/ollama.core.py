from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_ROME, _OSLO = _REQUEST.messages[2].parts
REQUEST = replace(_REQUEST, messages=(*_REQUEST.messages[:2], Message(Role.USER, (_OSLO, _ROME))))
