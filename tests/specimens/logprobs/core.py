from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign

_LOGPROBS = Raw(
    b'{"content":['
    b'{"token":"Yes","logprob":-0.25,"bytes":[89,101,115],"top_logprobs":[{"token":"Yes","logprob":-0.25,"bytes":[89,101,115]},{"token":"No","logprob":-1.5,"bytes":[78,111]}]},'
    b'{"token":".","logprob":-0.125,"bytes":[46],"top_logprobs":[]}'
    b'],"refusal":null}'
)
REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Yes or no?"),)),),
    max_output=512,
    sampling=Sampling(logprobs=True, top_logprobs=2),
)

REPLY = ChatReply(
    id="0040",
    model="aurora-1",
    candidates=(Candidate((Text("Yes."),), Finish(Reason.STOP), Foreign("openai_chat", _LOGPROBS)),),
    usage=Usage(fresh_input=20, output=2),
    created=1700000000,
)

REQUEST_IN = {
    "anthropic": replace(REQUEST, sampling=Sampling()),
}
REPLY_IN = {
    "anthropic": replace(REPLY, candidates=(Candidate((Text("Yes."),), Finish(Reason.STOP)),)),
}
