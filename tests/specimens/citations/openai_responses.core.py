from msgspec.structs import replace

from isthmus.core.content import Citation, Text
from isthmus.core.reply import Candidate, Finish, Reason
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_OSLO = Citation("https://example.com/oslo", "Oslo", start=0, end=17)
REPLY = replace(_REPLY, candidates=(Candidate((Text("Oslo is in Norway", citations=(_OSLO,)),), Finish(Reason.STOP)),))
