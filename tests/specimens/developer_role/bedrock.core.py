from msgspec.structs import replace

from isthmus.core.chat import Role
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, messages=(replace(_REQUEST.messages[0], role=Role.SYSTEM), *_REQUEST.messages[1:]))
