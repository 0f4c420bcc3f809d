from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Surprise me."),)),),
    max_output=512,
    sampling=Sampling(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        frequency_penalty=0.25,
        presence_penalty=-0.5,
        seed=7,
        stop=("END",),
    ),
)

REPLY = ChatReply(
    id="0043",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "openai_chat": replace(REQUEST, sampling=replace(REQUEST.sampling, top_k=None)),
    "anthropic": replace(REQUEST, sampling=Sampling(temperature=0.5, top_p=0.9, top_k=40, stop=("END",))),
}
