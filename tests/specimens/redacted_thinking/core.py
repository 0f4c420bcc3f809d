from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Reasoning, Signature, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Hm?"),)),
        Message(
            Role.ASSISTANT,
            (
                Reasoning("", Signature("anthropic", "EmwKAhgBEgxUaG91Z2h0U2VhbGVkQXdheQ"), redacted=True),
                Text("Indeed."),
            ),
        ),
        Message(Role.USER, (Text("Why?"),)),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0027",
    model="aurora-1",
    candidates=(
        Candidate(
            (
                Reasoning("", Signature("anthropic", "EmwKAhgBEgxUaG91Z2h0U2VhbGVkQXdheQ"), redacted=True),
                Reasoning("In clear now.", Signature("anthropic", "EqQBCgIYAhIkYjFmZ2hTaWduYXR1cmVPZlRoaXNUaG91Z2h0")),
                Text("Because."),
            ),
            Finish(Reason.STOP),
        ),
    ),
    usage=Usage(fresh_input=20, output=10, reasoning=7),
    created=1700000000,
)
