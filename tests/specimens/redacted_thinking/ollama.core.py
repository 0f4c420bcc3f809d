from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Reasoning, Text
from isthmus.core.reply import Candidate, Finish, Reason
from isthmus.core.usage import Usage
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_TOLD = Message(Role.ASSISTANT, (Text("Indeed."),))
REQUEST = replace(_REQUEST, messages=(_REQUEST.messages[0], _TOLD, _REQUEST.messages[2]))
REPLY = replace(
    _REPLY,
    candidates=(Candidate((Reasoning("In clear now."), Text("Because.")), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=17),
)
