from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Text
from isthmus.core.reply import Candidate, Finish, Reason
from isthmus.core.value import Extra, Foreign
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)
_CODE = Foreign("bedrock", Raw(b'{"systemTool":{"name":"nova_code_interpreter"}}'))
_RUN = Foreign(
    "bedrock",
    Raw(
        b'{"toolUse":{"toolUseId":"tooluse_9","name":"nova_code_interpreter","type":"server_tool_use",'
        b'"input":{"snippet":"1+1"}}}'
    ),
)
_RAN = Foreign(
    "bedrock",
    Raw(
        b'{"toolResult":{"toolUseId":"tooluse_9","type":"nova_code_interpreter_result","status":"success",'
        b'"content":[{"json":{"stdOut":"2"}}]}}'
    ),
)
_FLEX = Raw(b'{"type":"flex"}')
_MEASURED = Extra("bedrock", {"serviceTier": _FLEX}, {"metrics": Raw(b'{"latencyMs":420}')})

REQUEST = replace(_REQUEST, tools=(_CODE,), extra=Extra("bedrock", {"serviceTier": _FLEX}))
REPLY = replace(
    _REPLY, candidates=(Candidate((_RUN, _RAN, Text("It is done.")), Finish(Reason.STOP), extra=_MEASURED),)
)
