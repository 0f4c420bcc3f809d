from msgspec.structs import replace

from isthmus.core.reply import Candidate, Finish, Reason
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REPLY = replace(_REPLY, candidates=(Candidate((), Finish(Reason.STOP)),))
