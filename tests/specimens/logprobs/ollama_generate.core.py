from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.value import Foreign
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_LOGPROBS = Raw(
    b'[{"token":"Yes","logprob":-0.25,"bytes":[89,101,115],"top_logprobs":[{"token":"Yes","logprob":-0.25},'
    b'{"token":"No","logprob":-1.5}]},{"token":".","logprob":-0.125,"bytes":[46]}]'
)
REPLY = replace(_REPLY, candidates=(replace(_REPLY.candidates[0], logprobs=Foreign("ollama", _LOGPROBS)),))
