from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Text
from isthmus.core.reply import Candidate, Finish, Reason
from isthmus.core.value import Extra, Foreign
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_SEARCH = Foreign("openai_responses", Raw(b'{"type":"web_search","search_context_size":"low"}'))
_SOUGHT = Foreign(
    "openai_responses",
    Raw(b'{"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"Oslo"}}'),
)
_FLEX = Extra("openai_responses", {"service_tier": Raw(b'"flex"')})
REQUEST = replace(_REQUEST, tools=(_SEARCH,), extra=_FLEX)
_SAID = Candidate((_SOUGHT, Text("It is done.")), Finish(Reason.STOP))
REPLY = replace(_REPLY, candidates=(_SAID,), extra=_FLEX)
