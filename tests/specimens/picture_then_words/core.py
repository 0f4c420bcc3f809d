from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Inline, Media, MediaKind, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(
            Role.USER,
            (
                Media(MediaKind.IMAGE, Inline("image/png", _PIXEL)),
                Media(MediaKind.IMAGE, Inline("image/gif", _DOT)),
                Text("Which is larger?"),
            ),
        ),
    ),
    max_output=512,
)

REPLY = ChatReply(
    id="0054",
    model="aurora-1",
    candidates=(Candidate((Text("Neither."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
