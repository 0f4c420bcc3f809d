from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, ReasoningOptions, Role, Tool
from isthmus.core.content import Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage

_SCHEMA = Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}')
REQUEST = ChatRequest(
    model="aurora-1",
    messages=(
        Message(Role.USER, (Text("Is it cold in Oslo?"),)),
        Message(
            Role.ASSISTANT,
            (
                Reasoning("", Signature("openai", "gAAAABoc2VhbGVkVGhvdWdodA"), redacted=True),
                ToolCall("call_1", "weather", '{"city":"Oslo"}'),
            ),
        ),
        Message(Role.USER, (ToolResult("call_1", (Text("3 degrees"),)),)),
    ),
    max_output=512,
    tools=(Tool("weather", "The weather in a city.", _SCHEMA),),
    reasoning=ReasoningOptions(effort="low"),
)

REPLY = ChatReply(
    id="0052",
    model="aurora-1",
    candidates=(
        Candidate(
            (Reasoning("", Signature("openai", "gAAAABbW9yZVRob3VnaHRz"), redacted=True), Text("Yes, it is.")),
            Finish(Reason.STOP),
        ),
    ),
    usage=Usage(fresh_input=20, output=10, reasoning=64),
    created=1700000000,
)
