from isthmus.core.chat import ChatRequest, Message, Role, ToolChoice, ToolMode
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Hello?"),)),),
    max_output=512,
    tools=(),
    tool_choice=ToolChoice(ToolMode.AUTO),
    parallel_tools=False,
)

REPLY = ChatReply(
    id="0021",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
