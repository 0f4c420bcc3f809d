from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Two and two?"),)),),
    max_output=512,
    reasoning=ReasoningOptions(mode=ReasoningMode.OFF),
)

REPLY = ChatReply(
    id="0031",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "openai_chat": replace(REQUEST, reasoning=ReasoningOptions(effort="none")),
}
