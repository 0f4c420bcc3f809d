from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.SYSTEM, (Text("You keep a diary."),)),
        Message(Role.USER, (Text("Write."),)),
        Message(Role.ASSISTANT, (Text("Monday: rain."),)),
        Message(Role.SYSTEM, (Text("From now on, write in verse."),)),
        Message(Role.USER, (Text("Go on."),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0002",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
