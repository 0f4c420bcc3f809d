"""A question that a filter refused."""

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Do something bad."),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0103",
    model="aurora-1",
    candidates=(Candidate((), Finish(Reason.FILTERED)),),
    usage=Usage(fresh_input=20),
    created=1700000000,
)
