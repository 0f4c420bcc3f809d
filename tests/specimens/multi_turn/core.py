from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("I bring pears."),), name="Ida"),
        Message(Role.USER, (Text("I bring plums."),), name="Olaf"),
        Message(Role.ASSISTANT, (Text("Then there is fruit."),)),
        Message(Role.USER, (Text("Who brought what?"),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0004",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "anthropic": replace(REQUEST, messages=tuple(replace(message, name=None) for message in REQUEST.messages)),
}
