from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.value import Extra
from support.truth import truth_beside

_REQUEST, _REPLY = truth_beside(__file__)

REPLY = replace(_REPLY, extra=Extra("gemini", {"promptFeedback": Raw(b'{"blockReason":"PROHIBITED_CONTENT"}')}))
