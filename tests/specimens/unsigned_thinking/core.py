from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Reasoning, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("How many legs has a spider?"),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0028",
    model="aurora-1",
    candidates=(
        Candidate(
            (
                Reasoning("Insects have six; spiders eight."),
                Text("Eight."),
            ),
            Finish(Reason.STOP),
        ),
    ),
    usage=Usage(fresh_input=20, output=10, reasoning=7),
    created=1700000000,
)
