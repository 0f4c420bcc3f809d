from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign

REQUEST = ChatRequest(
    model="aurora-1",
    messages=(Message(Role.USER, (Text("Hello?"),)),),
    max_output=512,
)

REPLY = ChatReply(
    id="0048",
    model="aurora-1",
    candidates=(Candidate((Text("It is done."),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=20, output=10),
    created=1700000000,
)

_CUSTOM = Foreign("openai_chat", Raw(b'{"type":"custom","custom":{"name":"shell"}}'))
_SEARCH = Foreign("anthropic", Raw(b'{"type":"web_search_20250305","name":"web_search","max_uses":3}'))
_SOUGHT = Foreign(
    "anthropic", Raw(b'{"type":"server_tool_use","id":"srvtoolu_9","name":"web_search","input":{"query":"Oslo"}}')
)
_FLEX = Extra("openai_chat", {"service_tier": Raw(b'"flex"')})
_STANDARD = Extra("anthropic", {"service_tier": Raw(b'"standard_only"')})
REQUEST_IN = {
    "openai_chat": replace(REQUEST, tools=(_CUSTOM,), extra=_FLEX),
    "anthropic": replace(REQUEST, tools=(_SEARCH,), extra=_STANDARD),
}
_SAID = Candidate((_SOUGHT, Text("It is done.")), Finish(Reason.STOP))
REPLY_IN = {
    "openai_chat": replace(REPLY, extra=_FLEX),
    "anthropic": replace(REPLY, candidates=(_SAID,)),
}
