from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.SYSTEM, (Text("Answer in one sentence."),)),
        Message(Role.USER, (Text("Why is the sea salt?"),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0001",
    model="aurora-1",
    candidates=(Candidate((Text("Rivers carry salts from the rocks into it."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
