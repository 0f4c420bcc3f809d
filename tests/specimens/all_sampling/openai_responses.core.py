from msgspec.structs import replace

from isthmus.core.chat import Sampling
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, sampling=Sampling(temperature=0.5, top_p=0.9))
