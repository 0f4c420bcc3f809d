from msgspec.structs import replace

from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, messages=tuple(replace(message, name=None) for message in _REQUEST.messages))
