from msgspec.structs import replace

from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, messages=tuple(replace(turn, name=None) for turn in _REQUEST.messages))
