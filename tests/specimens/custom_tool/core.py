from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_SCHEMA = Raw(
    b'{"type":"object","properties":{"input":{"type":"string","description":"The input, as free text."}},'
    b'"required":["input"],"additionalProperties":false}'
)
REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Mend the fence."),)),
        Message(Role.ASSISTANT, (ToolCall("call_1", "mend", '{"input":"one \\"board\\"\\nand a nail"}'),)),
        Message(Role.USER, (ToolResult("call_1", (Text("mended"),)),)),
    ),
    max_output=512,
    tools=(Tool("mend", "Mends what is told.", _SCHEMA),),
)

REPLY = ChatReply(
    id="0050",
    model="aurora-1",
    candidates=(Candidate((ToolCall("call_2", "mend", '{"input":"the gate"}'),), Finish(Reason.TOOL_CALLS)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)
