from msgspec.structs import replace

from isthmus.core.chat import ReasoningOptions
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REQUEST = replace(_REQUEST, reasoning=ReasoningOptions(effort="medium"))
