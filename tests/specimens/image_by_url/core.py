from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Media, MediaKind, Text, Url
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(
            Role.USER, (Media(MediaKind.IMAGE, Url("https://example.com/cat.jpg"), detail="low"), Text("What is it?"))
        ),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0006",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_BARE = Media(MediaKind.IMAGE, Url("https://example.com/cat.jpg"))
REQUEST_IN = {
    "anthropic": replace(REQUEST, messages=(Message(Role.USER, (_BARE, Text("What is it?"))),)),
}
