from msgspec.structs import replace

from isthmus.core.chat import Message, Role
from isthmus.core.content import Text
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(
    _REQUEST,
    messages=(
        Message(Role.SYSTEM, (Text("You know the handbook."), Text("Chapter one: ..."))),
        Message(Role.USER, (Text("Is page 3 there?"),)),
    ),
    tools=tuple(replace(tool, cache=None) for tool in _REQUEST.tools),
)
