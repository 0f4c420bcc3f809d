from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import CacheMark, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.SYSTEM, (Text("You know the handbook."), Text("Chapter one: ...", CacheMark("1h")))),
        Message(Role.USER, (Text("Is page 3 there?", CacheMark()),)),
    ),
    max_output=512,
    tools=(Tool("turn_page", "Turn the page.", Raw(b'{"type":"object","properties":{}}'), cache=CacheMark()),),
)

REPLY = ChatReply(
    id="0008",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, cache_read=1200, cache_write=300, output=10),
    created=1700000000,
)

_UNMARKED = (
    Message(Role.SYSTEM, (Text("You know the handbook."), Text("Chapter one: ..."))),
    Message(Role.USER, (Text("Is page 3 there?"),)),
)
_SCHEMA = Raw(b'{"type":"object","properties":{}}')
REQUEST_IN = {
    "openai_chat": replace(REQUEST, messages=_UNMARKED, tools=(Tool("turn_page", "Turn the page.", _SCHEMA),)),
}
