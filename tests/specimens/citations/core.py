from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Citation, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Where is Oslo?"),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0039",
    model="aurora-1",
    candidates=(
        Candidate(
            (
                Text(
                    "Oslo is in Norway",
                    citations=(Citation("https://example.com/oslo", "Oslo", "the capital of Norway", start=0, end=17),),
                ),
            ),
            Finish(Reason.STOP),
        ),
    ),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)


def _citing(citation: Citation) -> ChatReply:
    text = Text("Oslo is in Norway", citations=(citation,))
    return replace(REPLY, candidates=(Candidate((text,), Finish(Reason.STOP)),))


REPLY_IN = {
    "openai_chat": _citing(Citation("https://example.com/oslo", "Oslo", start=0, end=17)),
    "anthropic": _citing(Citation("https://example.com/oslo", "Oslo", "the capital of Norway")),
}
