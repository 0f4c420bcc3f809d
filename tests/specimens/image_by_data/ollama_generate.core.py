from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_LOOK, _IMAGE, _ASK = _REQUEST.messages[0].parts
REQUEST = replace(_REQUEST, messages=(Message(Role.USER, (_IMAGE, Text("Look:\nWhat is it?"))),))
