from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Count."),)),),
    max_output=512,
    sampling=Sampling(stop=("END", "7")),
)

REPLY = ChatReply(
    id="0032",
    model="aurora-1",
    candidates=(Candidate((Text("1 2 3 4 5 6 "),), Finish(Reason.STOP_SEQUENCE, "7")),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REPLY_IN = {
    "openai_chat": replace(REPLY, candidates=(replace(REPLY.candidates[0], finish=Finish(Reason.STOP)),)),
}
