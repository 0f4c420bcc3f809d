from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import Message, Role, Tool
from isthmus.core.content import Text
from isthmus.core.usage import Usage
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_SYSTEM = Message(Role.SYSTEM, (Text("You know the handbook."), Text("Chapter one: ...")))
_ASKED = Message(Role.USER, (Text("Is page 3 there?"),))
_TOOL = Tool("turn_page", "Turn the page.", Raw(b'{"type":"object","properties":{}}'))

REQUEST = replace(_REQUEST, messages=(_SYSTEM, _ASKED), tools=(_TOOL,))
REPLY = replace(_REPLY, usage=Usage(fresh_input=320, cache_read=1200, output=10))
