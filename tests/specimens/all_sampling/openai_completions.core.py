from msgspec.structs import replace

from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, sampling=replace(_REQUEST.sampling, top_k=None))
