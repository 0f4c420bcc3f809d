from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.value import Foreign
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_TOLD = Raw(
    b'{"topCandidates":[{"candidates":[{"token":"Yes","logProbability":-0.25},{"token":"No","logProbability":-1.5}]},'
    b'{"candidates":[]}],"chosenCandidates":[{"token":"Yes","tokenId":9642,"logProbability":-0.25},'
    b'{"token":".","tokenId":235265,"logProbability":-0.125}]}'
)

REPLY = replace(_REPLY, candidates=(replace(_REPLY.candidates[0], logprobs=Foreign("gemini", _TOLD)),))
