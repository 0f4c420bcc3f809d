from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Reasoning, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("How many legs has a spider?"),)),
        Message(Role.ASSISTANT, (Reasoning("Insects have six; spiders eight."), Text("Eight."))),
        Message(Role.USER, (Text("And a fly?"),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0056",
    model="aurora-1",
    candidates=(Candidate((Text("Six."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_UNSIGNED = replace(
    REQUEST,
    messages=(REQUEST.messages[0], Message(Role.ASSISTANT, (Text("Eight."),)), REQUEST.messages[2]),
)
REQUEST_IN = {"anthropic": _UNSIGNED, "bedrock": _UNSIGNED}
