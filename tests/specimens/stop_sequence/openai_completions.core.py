from msgspec.structs import replace

from isthmus.core.reply import Finish, Reason
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REPLY = replace(_REPLY, candidates=(replace(_REPLY.candidates[0], finish=Finish(Reason.STOP)),))
