from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Inline, Media, MediaKind, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(
            Role.USER,
            (
                Text("Look:"),
                Media(
                    MediaKind.IMAGE,
                    Inline(
                        "image/png",
                        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
                    ),
                ),
                Text("What is it?"),
            ),
        ),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0005",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
