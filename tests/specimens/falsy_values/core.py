from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("0"),)),),
    max_output=1,
    sampling=Sampling(temperature=0.0, top_p=0.0),
)

REPLY = ChatReply(
    id="0063",
    model="aurora-1",
    candidates=(Candidate((Text("0"),), Finish(Reason.LENGTH)),),
    usage=Usage(fresh_input=1, output=1),
    created=1700000000,
)
