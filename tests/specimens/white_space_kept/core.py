from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("  def f():\n\treturn 1\r\n\n  "),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0061",
    model="aurora-1",
    candidates=(Candidate((Text("\n\n  def f():\r\n\treturn 2  \n\n"),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
