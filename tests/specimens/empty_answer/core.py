from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Say nothing."),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0036",
    model="aurora-1",
    candidates=(Candidate((), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=1),
    created=1700000000,
)
