from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Heads or tails?"),)),),
    max_output=512,
    sampling=Sampling(n=2),
)

REPLY = ChatReply(
    id="0041",
    model="aurora-1",
    candidates=(
        Candidate((Text("Heads."),), Finish(Reason.STOP)),
        Candidate((Text("Tails."),), Finish(Reason.LENGTH)),
    ),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "anthropic": replace(REQUEST, sampling=Sampling()),
}
REPLY_IN = {
    "anthropic": replace(REPLY, candidates=REPLY.candidates[:1]),
}
