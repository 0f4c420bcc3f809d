from msgspec.structs import replace

from isthmus.core.usage import Usage
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REPLY = replace(_REPLY, usage=Usage(fresh_input=400, cache_read=2000, output=40, reasoning=60))
