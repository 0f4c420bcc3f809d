from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Where is Oslo?"),)),),
    max_output=512,
    output=OutputFormat(
        OutputKind.SCHEMA,
        name="place",
        schema=Raw(
            b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}'
        ),
    ),
)

REPLY = ChatReply(
    id="0024",
    model="aurora-1",
    candidates=(Candidate((Text('{"city":"Oslo"}'),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

REQUEST_IN = {
    "anthropic": replace(
        REQUEST,
        output=OutputFormat(
            OutputKind.SCHEMA,
            schema=Raw(
                b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}'
            ),
        ),
    ),
}
