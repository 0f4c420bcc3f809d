from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Think."),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0037",
    model="aurora-1",
    candidates=(Candidate((Text("Done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=100, cache_read=2000, cache_write=300, output=40, reasoning=60),
    created=1700000000,
)
