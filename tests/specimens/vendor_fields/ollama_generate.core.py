from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.value import Extra
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

_KEPT = Extra(
    "ollama",
    {"keep_alive": Raw(b'"10m"'), "options.num_ctx": Raw(b"8192"), "options.min_p": Raw(b"0.05"), "raw": Raw(b"true")},
)
_REMOTE = Extra("ollama", {"remote_model": Raw(b'"aurora-1:70b"'), "context": Raw(b"[128006,882]")})
REQUEST = replace(_REQUEST, extra=_KEPT)
REPLY = replace(_REPLY, candidates=(replace(_REPLY.candidates[0], extra=_REMOTE),))
