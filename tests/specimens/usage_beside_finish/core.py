from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Quick!"),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0049",
    model="aurora-1",
    candidates=(Candidate((Text("Here."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
