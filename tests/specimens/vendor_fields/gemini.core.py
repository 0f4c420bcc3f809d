from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Text
from isthmus.core.reply import Candidate, Finish, Reason
from isthmus.core.value import Extra, Foreign
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_SAFETY = Raw(b'[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]')
_RAN = (
    Foreign("gemini", Raw(b'{"executableCode":{"language":"PYTHON","code":"print(7)"}}')),
    Foreign("gemini", Raw(b'{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"7\\n"}}')),
)
_LIKELY = Extra("gemini", {"avgLogprobs": Raw(b"-0.5")})

REQUEST = replace(
    _REQUEST,
    tools=(Foreign("gemini", Raw(b'{"googleSearch":{}}')), Foreign("gemini", Raw(b'{"codeExecution":{}}'))),
    extra=Extra("gemini", {"safetySettings": _SAFETY}),
)
REPLY = replace(_REPLY, candidates=(Candidate((*_RAN, Text("It is done.")), Finish(Reason.STOP), extra=_LIKELY),))
