from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_DOCUMENT, _QUESTION = _REQUEST.messages[0].parts

REQUEST = replace(_REQUEST, messages=(Message(Role.USER, (replace(_DOCUMENT, name="invoice pdf"), _QUESTION)),))
