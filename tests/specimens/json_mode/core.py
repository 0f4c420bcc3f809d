from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Where is Oslo? In JSON."),)),),
    max_output=512,
    output=OutputFormat(OutputKind.JSON),
)

REPLY = ChatReply(
    id="0025",
    model="aurora-1",
    candidates=(Candidate((Text('{"city":"Oslo"}'),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_ASKED = "Answer with one JSON object and nothing else: no words around it, no code fence."
REQUEST_IN = {
    "anthropic": replace(REQUEST, output=None, messages=(Message(Role.SYSTEM, (Text(_ASKED),)), *REQUEST.messages)),
}
