from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Go on."),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0035",
    model="aurora-1",
    candidates=(Candidate((Text("Once upon"),), Finish(Reason.FILTERED)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REPLY_IN = {
    "anthropic": replace(REPLY, candidates=(replace(REPLY.candidates[0], finish=Finish(Reason.REFUSED)),)),
}
