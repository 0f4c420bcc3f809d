from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.DEVELOPER, (Text("Be brief."),)),
        Message(Role.USER, (Text("Who are you?"),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0003",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "anthropic": replace(REQUEST, messages=(Message(Role.SYSTEM, (Text("Be brief."),)), *REQUEST.messages[1:])),
}
PROFILES = {
    "openai_chat": ModelProfile(max_output_field="max_completion_tokens", system_role="developer"),
}
