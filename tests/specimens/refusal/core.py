from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Refusal, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Do something bad."),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0034",
    model="aurora-1",
    candidates=(Candidate((Refusal("I'd rather not."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_TOLD = Candidate((Text("I'd rather not."),), Finish(Reason.REFUSED))
REPLY_IN = {
    "anthropic": replace(REPLY, candidates=(_TOLD,)),
}
