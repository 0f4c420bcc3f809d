from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text('Say "a\\b" </p> \x01 \u2028 שלום 海 é e\u0301 👩\u200d🚀'),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0060",
    model="aurora-1",
    candidates=(Candidate((Text('"a\\b" </p> \x01 \u2028 שלום 海 é e\u0301 👩\u200d🚀'),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
